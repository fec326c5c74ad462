/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"

/* A libvirt daemon works on at most five calls of one client at a time: one stays free. */
#define SETTLE_THREADS 4

typedef struct {
    GMutex lock;
    GCond cond;
    guint pending;
    int late; /* atomic: nobody waits any more */
} Settling;

typedef struct {
    Settling *settling;
    virDomainPtr domain;
} Question;

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

    if (!g_atomic_int_get(&question->settling->late))
        nest_libvirt_ask(question->domain);
    g_mutex_lock(&question->settling->lock);
    question->settling->pending--;
    g_cond_signal(&question->settling->cond);
    g_mutex_unlock(&question->settling->lock);
    question_free(question);
}

/* Takes domains over. */
static void ask_all(virDomainPtr *domains, guint n, gint64 deadline)
{
    Settling *settling = g_atomic_rc_box_new0(Settling);
    GThreadPool *pool = g_thread_pool_new(ask_one, NULL, SETTLE_THREADS, TRUE, NULL);
    gboolean in_time = TRUE;

    g_mutex_init(&settling->lock);
    g_cond_init(&settling->cond);
    settling->pending = n;
    for (guint i = 0; i < n; i++) {
        Question *question = g_new(Question, 1);

        question->settling = g_atomic_rc_box_acquire(settling);
        question->domain = domains[i];
        g_thread_pool_push(pool, question, NULL);
    }
    g_mutex_lock(&settling->lock);
    while (settling->pending > 0 && in_time)
        in_time = g_cond_wait_until(&settling->cond, &settling->lock, deadline);
    g_mutex_unlock(&settling->lock);
    g_atomic_int_set(&settling->late, TRUE);
    /* Not immediately: GLib then hands its own wake-up calls to the function that frees what is
     * left in the queue. */
    g_thread_pool_free(pool, FALSE, FALSE);
    g_atomic_rc_box_release_full(settling, settling_clear);
}

/* A guest that turned itself off while nobody was attached: its QEMU has waited, and is ended
 * now. */
static void await_end(NestLibvirt *self, virDomainPtr domain, gint64 deadline)
{
    gint64 left = deadline - g_get_monotonic_time();
    int state;

    if (left > 0 && virDomainGetState(domain, &state, NULL, 0) == 0 && state == VIR_DOMAIN_SHUTDOWN)
        nest_libvirt_wait_off(self, domain, (guint)(left / G_TIME_SPAN_MILLISECOND), NULL, NULL);
}

void nest_libvirt_settle(NestLibvirt *self, virConnectPtr connection, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    if (n > 0)
        ask_all(domains, (guint)n, deadline);
    g_clear_pointer(&domains, free);
    n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    for (int i = 0; i < n; i++) {
        await_end(self, domains[i], deadline);
        virDomainFree(domains[i]);
    }
    free(domains);
}
