/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"

typedef struct {
    GMutex lock;
    GCond cond;
    virDomainPtr domain;
    NestLibvirtFunction function;
    const char *verb; /* of the caller; not touched once abandoned */
    gboolean done, abandoned;
    gboolean good;
    GError *error;
} Call;

static void call_clear(gpointer data)
{
    Call *call = data;

    g_clear_error(&call->error);
    virDomainFree(call->domain);
    g_cond_clear(&call->cond);
    g_mutex_clear(&call->lock);
}

static void call_unref(Call *call)
{
    g_atomic_rc_box_release_full(call, call_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_unref)

static gpointer run_call(gpointer data)
{
    g_autoptr(Call) call = data;
    int result = call->function(call->domain);

    g_mutex_lock(&call->lock);
    if (result < 0 && !call->abandoned)
        nest_virt_error_set_domain(&call->error, call->domain, call->verb);
    call->good = result >= 0;
    call->done = TRUE;
    g_cond_signal(&call->cond);
    g_mutex_unlock(&call->lock);
    return NULL;
}

gboolean nest_libvirt_call(virDomainPtr domain, NestLibvirtFunction function, guint timeout_ms,
    const char *verb, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    g_autoptr(Call) call = g_atomic_rc_box_new0(Call);
    gboolean in_time = TRUE;

    g_mutex_init(&call->lock);
    g_cond_init(&call->cond);
    virDomainRef(domain);
    call->domain = domain;
    call->function = function;
    call->verb = verb;
    g_thread_unref(g_thread_new("libvirt-call", run_call, g_atomic_rc_box_acquire(call)));

    g_mutex_lock(&call->lock);
    while (!call->done && in_time)
        in_time = g_cond_wait_until(&call->cond, &call->lock, deadline);
    call->abandoned = !call->done;
    g_mutex_unlock(&call->lock);

    if (call->abandoned) {
        nest_set_error(error, NEST_ERROR_TIMEOUT, "power the VM off if it stays like this",
            "Cannot %s %s: its QEMU did not answer within %u seconds", verb,
            virDomainGetName(domain), timeout_ms / 1000);
        return FALSE;
    }
    if (call->good)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&call->error));
    return FALSE;
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
