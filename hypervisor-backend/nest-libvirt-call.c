/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"

typedef struct {
    GMutex lock;
    GCond cond;
    NestLibvirtErrand function;
    gpointer data; /* NULL once the caller has it back */
    GDestroyNotify free_data;
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

gboolean nest_libvirt_run(NestLibvirtErrand function, gpointer data, GDestroyNotify free_data,
    guint timeout_ms, const char *failure, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    g_autoptr(Run) run = g_atomic_rc_box_new0(Run);
    gboolean in_time = TRUE;

    g_mutex_init(&run->lock);
    g_cond_init(&run->cond);
    run->function = function;
    run->data = data;
    run->free_data = free_data;
    g_thread_unref(g_thread_new("libvirt-call", run_errand, g_atomic_rc_box_acquire(run)));

    g_mutex_lock(&run->lock);
    while (!run->done && in_time)
        in_time = g_cond_wait_until(&run->cond, &run->lock, deadline);
    run->abandoned = !run->done;
    g_mutex_unlock(&run->lock);

    if (run->abandoned)
        nest_set_error(error, NEST_ERROR_TIMEOUT, "power the VM off if it stays like this",
            "%s: its QEMU did not answer within %u seconds", failure, timeout_ms / 1000);
    else if (!run->good)
        g_propagate_error(error, g_steal_pointer(&run->error));
    else
        run->data = NULL;
    return !run->abandoned && run->good;
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
