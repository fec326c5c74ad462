/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-stats.h"
#include "nest-libvirt.h"
#include "nest-registers.h"
#include "nest-virt-error.h"
#include <libvirt/libvirt-qemu.h>

#define STATS_TIMEOUT_MS 3000
#define MONITOR_TIMEOUT_MS 2000
/* Questions that QEMUs have not answered yet. A QEMU that hangs is asked for statistics once:
 * libvirt then takes it for busy, and NOWAIT passes it over. */
#define UNANSWERED_MAX 16

typedef struct {
    virConnectPtr connection;
    virDomainPtr domain; /* NULL: all */
    int *unanswered;
    GPtrArray *samples;
    NestVmSample monitor; /* what the monitor told */
} Errand;

static void errand_free(gpointer data)
{
    Errand *errand = data;

    g_atomic_int_add(errand->unanswered, -1);
    g_atomic_rc_box_release(errand->unanswered);
    g_clear_pointer(&errand->samples, g_ptr_array_unref);
    g_clear_pointer(&errand->domain, virDomainFree);
    g_clear_pointer(&errand->connection, virConnectClose);
    g_free(errand);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Errand, errand_free)

static gboolean errand_new(
    NestLibvirt *self, virDomainPtr domain, Errand **ret_errand, GError **error)
{
    g_autoptr(virConnect) connection = NULL;

    if (!nest_libvirt_get(self, &connection, error))
        return FALSE;
    if (g_atomic_int_get(self->unanswered) >= UNANSWERED_MAX) {
        nest_set_error(error, NEST_ERROR_TIMEOUT, "power off the VMs whose QEMU hangs",
            "%d questions about running VMs wait for an answer", UNANSWERED_MAX);
        return FALSE;
    }
    Errand *errand = g_new0(Errand, 1);
    errand->connection = g_steal_pointer(&connection);
    errand->unanswered = g_atomic_rc_box_acquire(self->unanswered);
    g_atomic_int_inc(errand->unanswered);
    if (domain != NULL && virDomainRef(domain) == 0)
        errand->domain = domain;
    *ret_errand = errand;
    return TRUE;
}

static void add_sample(virDomainStatsRecordPtr record, GPtrArray *samples)
{
    NestVmSample sample = {.time = g_get_monotonic_time()};
    unsigned int id = virDomainGetID(record->dom);

    sample.run = id == (unsigned int)-1 ? -1 : (int)id;
    if (virDomainGetUUIDString(record->dom, sample.uuid) == 0 &&
        nest_libvirt_stats_read(record->params, record->nparams, &sample))
        g_ptr_array_add(samples, g_memdup2(&sample, sizeof sample));
}

/* Statistics as they can be had at once: a domain that is busy comes with less. */
static gboolean read_stats(gpointer data, GError **error)
{
    const unsigned int groups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_VCPU;
    const unsigned int nowait = VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;
    Errand *errand = data;
    virDomainPtr one[] = {errand->domain, NULL};
    virDomainStatsRecordPtr *records = NULL;
    int n = errand->domain != NULL
        ? virDomainListGetStats(one, groups, &records, nowait)
        : virConnectGetAllDomainStats(errand->connection, groups, &records,
              nowait | VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT);

    if (n < 0) {
        nest_virt_error_set(error, errand->connection, "Cannot read statistics");
        return FALSE;
    }
    errand->samples = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n; i++)
        add_sample(records[i], errand->samples);
    virDomainStatsRecordListFree(records);
    return TRUE;
}

static char *ask(virDomainPtr domain, const char *command)
{
    char *answer = NULL;
    int result =
        virDomainQemuMonitorCommand(domain, command, &answer, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP);

    return result == 0 ? answer : NULL;
}

/* Whether the CPU that runs has the extension: the live definition does not always say so (fact
 * F2). The first CPU is the first thing that QEMU's machine had no other place for. */
static NestAnswer ask_exposed(virDomainPtr domain)
{
    static const char *const commands[] = {
        "qom-get /machine/unattached/device[0] vmx", "qom-get /machine/unattached/device[0] svm"};
    guint no = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        char *answer = ask(domain, commands[i]);
        NestAnswer flag = answer != NULL ? nest_registers_flag(answer) : NEST_ANSWER_UNREAD;
        free(answer);
        if (flag == NEST_ANSWER_YES)
            return flag;
        no += flag == NEST_ANSWER_NO;
    }
    return no == G_N_ELEMENTS(commands) ? NEST_ANSWER_NO : NEST_ANSWER_UNREAD;
}

static gboolean read_registers(gpointer data, GError **error)
{
    Errand *errand = data;
    char *registers = ask(errand->domain, "info registers -a");

    if (registers == NULL) {
        nest_virt_error_set_domain(error, errand->domain, "read the registers of");
        return FALSE;
    }
    errand->monitor.switched_on = nest_registers_switched_on(registers);
    free(registers);
    errand->monitor.exposed = ask_exposed(errand->domain);
    return TRUE;
}

static gboolean take_stats(
    NestLibvirt *self, virDomainPtr domain, GPtrArray **ret_samples, GError **error)
{
    Errand *errand = NULL;

    if (!errand_new(self, domain, &errand, error) ||
        !nest_libvirt_run(
            read_stats, errand, errand_free, STATS_TIMEOUT_MS, "Cannot read statistics", error))
        return FALSE;
    *ret_samples = g_steal_pointer(&errand->samples);
    errand_free(errand);
    return TRUE;
}

/* What the monitor does not tell stays unread. */
static void add_registers(NestLibvirt *self, virDomainPtr domain, NestVmSample *sample)
{
    Errand *errand = NULL;

    sample->asked = TRUE;
    if (!errand_new(self, domain, &errand, NULL) ||
        !nest_libvirt_run(read_registers, errand, errand_free, MONITOR_TIMEOUT_MS, "", NULL))
        return;
    sample->exposed = errand->monitor.exposed;
    sample->switched_on = errand->monitor.switched_on;
    errand_free(errand);
}

gboolean nest_libvirt_sample(
    NestLibvirt *self, const char *uuid, gboolean monitor, GPtrArray **ret_samples, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GPtrArray) samples = NULL;

    if (uuid != NULL && !nest_libvirt_domain(self, uuid, &domain, error))
        return FALSE;
    if (!take_stats(self, domain, &samples, error))
        return FALSE;
    if (domain != NULL && samples->len == 0) {
        nest_set_error(
            error, NEST_ERROR_VM_STATE, NULL, "%s does not run", virDomainGetName(domain));
        return FALSE;
    }
    if (domain != NULL && monitor)
        add_registers(self, domain, g_ptr_array_index(samples, 0));
    *ret_samples = g_steal_pointer(&samples);
    return TRUE;
}
