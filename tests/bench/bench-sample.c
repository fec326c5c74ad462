/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a look at all running VMs costs: bench-sample DIRECTORY COUNT… starts that many small VMs of
 * KVM with the embedded driver, below a short directory, and prints for each count a line with the
 * median and the longest of the looks in ms, the processor time of one in ms, and the judging of
 * all samples in µs, with tabs between them. */
#include "nest-backend-libvirt.h"
#include "nest-sampler.h"
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOKS 51

static void require(gboolean done, GError *error)
{
    if (!done)
        g_error("%s", error != NULL ? error->message : "no such VM");
}

static char *uuid_of(guint i)
{
    return g_strdup_printf("6e657374-0000-4000-8000-%012u", i);
}

static void start_one(NestBackend *backend, guint i)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uuid = uuid_of(i);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>s%u</name><uuid>%s</uuid><memory unit='MiB'>8</memory>"
        "<vcpu>2</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>"
        "<cpu mode='custom' match='exact' check='none'><model fallback='allow'>qemu64</model></cpu>"
        "<devices><controller type='usb' model='none'/><memballoon model='none'/></devices>"
        "</domain>",
        i, uuid);
    require(backend->ops->define(backend, xml, &error), error);
    require(backend->ops->start(backend, uuid, &error), error);
    /* What its firmware does is not what is measured. */
    require(backend->ops->pause(backend, uuid, &error), error);
}

static void stop_one(NestBackend *backend, guint i)
{
    g_autofree char *uuid = uuid_of(i);
    backend->ops->stop(backend, uuid, NULL);
    backend->ops->undefine(backend, uuid, NULL);
}

static double processor_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double judge_us(GPtrArray *samples)
{
    g_autofree NestActivityMemory *memories = g_new0(NestActivityMemory, samples->len);
    gint64 began = g_get_monotonic_time();
    for (guint i = 0; i < samples->len; i++)
        nest_activity_judge(&memories[i], g_ptr_array_index(samples, i), TRUE);
    return g_get_monotonic_time() - began;
}

static void measure(NestBackend *backend, guint count)
{
    double taken[LOOKS], judged = 0, cpu = processor_ms();
    for (guint i = 0; i < LOOKS; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) samples = NULL;
        gint64 began = g_get_monotonic_time();
        require(backend->ops->sample(backend, NULL, FALSE, &samples, &error), error);
        taken[i] = (g_get_monotonic_time() - began) / 1e3;
        judged = judge_us(samples);
        NestVmSample *first = g_ptr_array_index(samples, 0);
        if (samples->len != count || !first->counted)
            g_error("%u samples of %u VMs, counted: %d", samples->len, count, first->counted);
    }
    cpu = (processor_ms() - cpu) / LOOKS;
    qsort(taken, LOOKS, sizeof taken[0], by_size);
    printf("%u\t%.2f\t%.2f\t%.2f\t%.0f\n", count, taken[LOOKS / 2], taken[LOOKS - 1], cpu, judged);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    guint running = 0;
    if (argc < 3) {
        fputs("usage: bench-sample DIRECTORY COUNT…\n", stderr);
        return 2;
    }
    const NestLibvirtOptions options = {.uri = "embed", .root = argv[1]};
    g_autoptr(NestBackend) backend = nest_backend_libvirt_new(&options);
    require(backend->ops->open(backend, &error), error);
    for (int i = 2; i < argc; i++) {
        for (guint wanted = (guint)atoi(argv[i]); running < wanted; running++)
            start_one(backend, running);
        measure(backend, running);
    }
    while (running > 0)
        stop_one(backend, --running);
    return 0;
}
