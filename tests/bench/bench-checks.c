/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checks.h"
#include "nest-fake-seed.h"
#include "nest-vm-card.h"
#include <stdio.h>
#include <time.h>

/* What judging costs, without any hypervisor: all checks of a recorded host, and of many VMs from
 * their definitions; half of them run. */

#define HOSTS 200
#define ROUNDS 5

/* CPU time, µs: nothing here waits, and other work on the machine shall not count. */
static gint64 now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static double since(gint64 start)
{
    return (now() - start) / 1000.0;
}

static void report(const char *what, double value, const char *unit)
{
    printf("%-58s %10.3f %s\n", what, value, unit);
}

static NestHostSnapshot *make_host(void)
{
    g_autofree char *root =
        g_build_filename(g_getenv("NEST_TEST_DATA"), "hosts", "intel-ready", NULL);
    g_autoptr(NestHostPlace) place = nest_host_place_new(root, NULL);
    NestBackendCaps caps = {.kvm = TRUE,
        .tcg = TRUE,
        .kvm_extension = NEST_EXTENSION_VMX,
        .tcg_extension = NEST_EXTENSION_SVM};
    return nest_host_snapshot_take(place, &caps);
}

static void bench_host(const NestHostSnapshot *host)
{
    NestHostView view = {host->facts, host->caps, host->advice, FALSE, NULL, NULL};
    gint64 start = now();
    for (guint i = 0; i < HOSTS; i++)
        nest_host_free(nest_checks_host(&view));
    report("all checks of the host", since(start) / HOSTS, "ms");
}

static NestVmFacts *make_facts(guint i)
{
    NestVmFacts *facts = g_new0(NestVmFacts, 1);
    facts->uuid = nest_fake_seed_uuid(i);
    facts->name = nest_fake_seed_name(i);
    facts->xml = nest_fake_seed_xml(i);
    facts->state = i % 2 == 0 ? NEST_VM_RUNNING : NEST_VM_OFF;
    if (facts->state == NEST_VM_RUNNING)
        facts->live_xml = g_strdup(facts->xml);
    return facts;
}

typedef struct {
    double read, judge, card; /* ms, all VMs */
} Times;

static Times measure(guint vms, NestHostSnapshot *host)
{
    g_autoptr(GPtrArray) readings =
        g_ptr_array_new_with_free_func((GDestroyNotify)nest_vm_reading_free);
    g_autoptr(GPtrArray) facts = g_ptr_array_new();
    Times times = {0};
    for (guint i = 0; i < vms; i++)
        g_ptr_array_add(facts, make_facts(i));
    gint64 start = now();
    for (guint i = 0; i < vms; i++) {
        g_autoptr(GError) error = NULL;
        NestVmReading *reading =
            nest_vm_reading_new(g_ptr_array_index(facts, i), host, NULL, &error);
        if (reading == NULL)
            g_error("%s", error->message);
        g_ptr_array_add(readings, reading);
    }
    times.read = since(start);
    start = now();
    for (guint i = 0; i < vms; i++)
        nest_vm_free(
            nest_checks_vm(&((const NestVmReading *)g_ptr_array_index(readings, i))->view));
    times.judge = since(start);
    start = now();
    for (guint i = 0; i < vms; i++)
        nest_vm_card_free(nest_vm_card_make(g_ptr_array_index(readings, i), NEST_PARITY_HYPERV));
    times.card = since(start);
    return times;
}

static void bench_vms(guint vms, NestHostSnapshot *host)
{
    Times best = measure(vms, host);
    for (guint i = 1; i < ROUNDS; i++) {
        Times times = measure(vms, host);
        best.read = MIN(best.read, times.read);
        best.judge = MIN(best.judge, times.judge);
        best.card = MIN(best.card, times.card);
    }
    double all = best.read + best.card;
    g_autofree char *judge = g_strdup_printf("all checks of %u VMs", vms);
    g_autofree char *whole = g_strdup_printf("the same from XML to JSON, %u VMs", vms);
    report(judge, best.judge, "ms");
    report("  a VM", best.judge / vms * 1000, "µs");
    report(whole, all, "ms");
    report("  a VM", all / vms * 1000, "µs");
}

int main(void)
{
    static const guint sizes[] = {100, 1000, 4000};
    g_autoptr(NestHostSnapshot) host = make_host();
    bench_host(host);
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        bench_vms(sizes[i], host);
    return 0;
}
