/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"

typedef struct {
    GMutex lock;
    GCond cond;
    NestLibvirtErrand function;
    gpointer data; /* NULL once the caller has it back */
    GDestroyNotify free_data;
    int *late; /* nullable rc box, atomic: counts those that are abandoned */
    gboolean done, abandoned;
    gboolean good;
    GError *error;
} Run;

static void run_clear(gpointer data)
{
    Run *run = data;

    g_clear_error(&run->error);
    if (run->data != NULL)
        run->free_data(run->data);
    if (run->late != NULL && run->abandoned)
        g_atomic_int_add(run->late, -1);
    g_clear_pointer(&run->late, g_atomic_rc_box_release);
    g_cond_clear(&run->cond);
    g_mutex_clear(&run->lock);
}

static void run_unref(Run *run)
{
    g_atomic_rc_box_release_full(run, run_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_unref)

static gpointer run_errand(gpointer data)
{
    g_autoptr(Run) run = data;
    g_autoptr(GError) error = NULL;
    gboolean good = run->function(run->data, &error);

    g_mutex_lock(&run->lock);
    run->good = good;
    run->error = g_steal_pointer(&error);
    run->done = TRUE;
    g_cond_signal(&run->cond);
    g_mutex_unlock(&run->lock);
    return NULL;
}

static Run *run_new(NestLibvirtErrand function, gpointer data, GDestroyNotify free_data, int *late)
{
    Run *run = g_atomic_rc_box_new0(Run);

    g_mutex_init(&run->lock);
    g_cond_init(&run->cond);
    run->function = function;
    run->data = data;
    run->free_data = free_data;
    run->late = late != NULL ? g_atomic_rc_box_acquire(late) : NULL;
    g_thread_unref(g_thread_new("libvirt-call", run_errand, g_atomic_rc_box_acquire(run)));
    return run;
}

/* FALSE: it is abandoned. */
static gboolean run_wait(Run *run, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    gboolean in_time = TRUE;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&run->lock);

    while (!run->done && in_time)
        in_time = g_cond_wait_until(&run->cond, &run->lock, deadline);
    run->abandoned = !run->done;
    if (run->abandoned && run->late != NULL)
        g_atomic_int_inc(run->late);
    return run->done;
}

/* Of one that is done. */
static gboolean run_outcome(Run *run, GError **error)
{
    if (run->good)
        run->data = NULL;
    else
        g_propagate_error(error, g_steal_pointer(&run->error));
    return run->good;
}

gboolean nest_libvirt_run(NestLibvirtErrand function, gpointer data, GDestroyNotify free_data,
    guint timeout_ms, const char *failure, GError **error)
{
    g_autoptr(Run) run = run_new(function, data, free_data, NULL);

    if (run_wait(run, timeout_ms))
        return run_outcome(run, error);
    nest_set_error(error, NEST_ERROR_TIMEOUT, "power the VM off if it stays like this",
        "%s: its QEMU did not answer within %u seconds", failure, timeout_ms / 1000);
    return FALSE;
}

/* In the same words each time: what is known does not change with them. */
static gboolean fail_silent(const char *failure, GError **error)
{
    nest_set_error(error, NEST_ERROR_TIMEOUT,
        "see whether QEMU hangs (qemu-system-x86_64 -version), or libvirt's daemons; where each "
        "driver has one of its own, all of them",
        "%s: libvirt does not answer", failure);
    return FALSE;
}

gboolean nest_libvirt_run_daemon(NestLibvirtErrand function, gpointer data,
    GDestroyNotify free_data, int *late, guint timeout_ms, const char *failure, GError **error)
{
    if (g_atomic_int_get(late) > 0) {
        free_data(data);
        return fail_silent(failure, error);
    }
    g_autoptr(Run) run = run_new(function, data, free_data, late);
    return run_wait(run, timeout_ms) ? run_outcome(run, error) : fail_silent(failure, error);
}

typedef struct {
    virDomainPtr domain;
    NestLibvirtFunction function;
    char *verb;
} Call;

static void call_free(gpointer data)
{
    Call *call = data;

    virDomainFree(call->domain);
    g_free(call->verb);
    g_free(call);
}

static gboolean run_call(gpointer data, GError **error)
{
    Call *call = data;

    if (call->function(call->domain) >= 0)
        return TRUE;
    nest_virt_error_set_domain(error, call->domain, call->verb);
    return FALSE;
}

gboolean nest_libvirt_call(virDomainPtr domain, NestLibvirtFunction function, guint timeout_ms,
    const char *verb, GError **error)
{
    g_autofree char *failure = g_strdup_printf("Cannot %s %s", verb, virDomainGetName(domain));
    Call *call = g_new0(Call, 1);

    virDomainRef(domain);
    call->domain = domain;
    call->function = function;
    call->verb = g_strdup(verb);
    if (!nest_libvirt_run(run_call, call, call_free, timeout_ms, failure, error))
        return FALSE;
    call_free(call);
    return TRUE;
}

/* Any VM can be asked for its I/O threads; the answer comes from QEMU's monitor, within a job. */
int nest_libvirt_ask(virDomainPtr domain)
{
    virDomainIOThreadInfoPtr *threads = NULL;
    int n = virDomainGetIOThreadInfo(domain, &threads, VIR_DOMAIN_AFFECT_LIVE);

    for (int i = 0; i < n; i++)
        virDomainIOThreadInfoFree(threads[i]);
    free(threads);
    return n;
}
