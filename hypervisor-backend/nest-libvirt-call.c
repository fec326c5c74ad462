/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"

/* A libvirt daemon works on at most five calls of one client at a time: one stays free. */
#define SETTLE_THREADS 4

typedef struct {
    GMutex lock;
    GCond cond;
    guint pending;
} Settling;

typedef struct {
    Settling *settling;
    virDomainPtr domain;
} Question;

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

static void settling_clear(gpointer data)
{
    Settling *settling = data;

    g_cond_clear(&settling->cond);
    g_mutex_clear(&settling->lock);
}

static void question_free(gpointer data)
{
    Question *question = data;

    virDomainFree(question->domain);
    g_atomic_rc_box_release_full(question->settling, settling_clear);
    g_free(question);
}

static void ask_one(gpointer data, gpointer user_data)
{
    Question *question = data;

    nest_libvirt_ask(question->domain);
    g_mutex_lock(&question->settling->lock);
    question->settling->pending--;
    g_cond_signal(&question->settling->cond);
    g_mutex_unlock(&question->settling->lock);
    question_free(question);
}

void nest_libvirt_settle(virConnectPtr connection, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    gboolean in_time = TRUE;
    Settling *settling;
    GThreadPool *pool;

    if (n > 0) {
        settling = g_atomic_rc_box_new0(Settling);
        g_mutex_init(&settling->lock);
        g_cond_init(&settling->cond);
        settling->pending = (guint)n;
        pool = g_thread_pool_new_full(ask_one, NULL, question_free, SETTLE_THREADS, TRUE, NULL);
        for (int i = 0; i < n; i++) {
            Question *question = g_new(Question, 1);

            question->settling = g_atomic_rc_box_acquire(settling);
            question->domain = domains[i];
            g_thread_pool_push(pool, question, NULL);
        }
        g_mutex_lock(&settling->lock);
        while (settling->pending > 0 && in_time)
            in_time = g_cond_wait_until(&settling->cond, &settling->lock, deadline);
        g_mutex_unlock(&settling->lock);
        g_thread_pool_free(pool, TRUE, FALSE);
        g_atomic_rc_box_release_full(settling, settling_clear);
    }
    free(domains);
}
