/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"

/* How long it may take to stop, and how often it is asked to: what has not begun to move yet has
 * nothing to abort. */
#define STOP_TIMEOUT_US (30 * G_TIME_SPAN_SECOND)
#define ASK_AGAIN_US (G_TIME_SPAN_SECOND / 10)
#define ANSWER_TIMEOUT_MS 10000

/* libvirt moves the VM from daemon to daemon, and takes it away here once it is there. */
#define ALWAYS (VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE)

/* A migration on a thread of its own; whoever waits may leave it to itself. */
typedef struct {
    GMutex lock;
    GCond changed;
    virDomainPtr domain;
    char *to;
    unsigned int flags;
    gboolean done, good;
    GError *error;
} Move;

static void move_clear(gpointer data)
{
    Move *move = data;

    g_clear_error(&move->error);
    g_free(move->to);
    virDomainFree(move->domain);
    g_cond_clear(&move->changed);
    g_mutex_clear(&move->lock);
}

static void move_unref(Move *move)
{
    g_atomic_rc_box_release_full(move, move_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Move, move_unref)

static gpointer run_move(gpointer data)
{
    g_autoptr(Move) move = data;
    g_autoptr(GError) error = NULL;
    gboolean good = virDomainMigrateToURI3(move->domain, move->to, NULL, 0, move->flags) == 0;

    if (!good)
        nest_virt_error_set_domain(&error, move->domain, "migrate");
    g_mutex_lock(&move->lock);
    move->good = good;
    move->error = g_steal_pointer(&error);
    move->done = TRUE;
    g_cond_broadcast(&move->changed);
    g_mutex_unlock(&move->lock);
    return NULL;
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    Move *move = data;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&move->lock);

    g_cond_broadcast(&move->changed);
}

/* TRUE once it has ended, however. */
static gboolean wait_until(Move *move, gint64 until, GCancellable *cancellable)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&move->lock);

    while (!move->done && !g_cancellable_is_cancelled(cancellable) &&
        g_cond_wait_until(&move->changed, &move->lock, until))
        ;
    return move->done;
}

static gboolean stop(Move *move)
{
    gint64 deadline = g_get_monotonic_time() + STOP_TIMEOUT_US;
    gint64 now;

    while ((now = g_get_monotonic_time()) < deadline) {
        /* QEMU is asked, which may hang; it may have ended all the same. */
        nest_libvirt_call(
            move->domain, virDomainAbortJob, ANSWER_TIMEOUT_MS, "stop migrating", NULL);
        if (wait_until(move, MIN(deadline, now + ASK_AGAIN_US), NULL))
            return TRUE;
    }
    return FALSE;
}

/* One that was stopped too late has gone through. */
static gboolean outcome(Move *move, gboolean stopped, gboolean cancelled, GError **error)
{
    const char *name = virDomainGetName(move->domain);

    if (move->good)
        return TRUE;
    if (!stopped)
        g_propagate_error(error, g_steal_pointer(&move->error));
    else if (cancelled)
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "Migrating %s was aborted", name);
    else
        nest_set_error(error, NEST_ERROR_TIMEOUT,
            "give it more time, or migrate it while it is off", "%s was not there in time: %s",
            name, move->error->message);
    return FALSE;
}

static gboolean follow(Move *move, guint timeout_ms, GCancellable *cancellable, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    gboolean stopped = !wait_until(move, deadline, cancellable);

    if (!stopped || stop(move))
        return outcome(move, stopped, g_cancellable_is_cancelled(cancellable), error);
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "see which of the two hosts has it",
        "%s was to stop migrating, and libvirt did not answer: it may still be on its way",
        virDomainGetName(move->domain));
    return FALSE;
}

static Move *move_new(virDomainPtr domain, const char *to, gboolean offline)
{
    Move *move = g_atomic_rc_box_new0(Move);

    g_mutex_init(&move->lock);
    g_cond_init(&move->changed);
    virDomainRef(domain);
    move->domain = domain;
    move->to = g_strdup(to);
    move->flags = ALWAYS | (offline ? VIR_MIGRATE_OFFLINE : VIR_MIGRATE_LIVE);
    return move;
}

/* The driver within this process has no daemon that a VM could go on through. */
static gboolean check_can(NestLibvirt *self, virDomainPtr domain, gboolean offline, GError **error)
{
    if (!self->embed || offline)
        return offline ||
            nest_libvirt_call(domain, nest_libvirt_ask, ANSWER_TIMEOUT_MS, "migrate", error);
    nest_set_error(error, NEST_ERROR_UNSUPPORTED, "shut it down, and migrate it with --offline",
        "%s is run by nestd itself, and only libvirtd's VMs can be migrated while they run",
        virDomainGetName(domain));
    return FALSE;
}

gboolean nest_libvirt_migrate(NestBackend *backend, const char *uuid, const char *to,
    gboolean offline, guint timeout_ms, GCancellable *cancellable, GError **error)
{
    NestLibvirt *self = (NestLibvirt *)backend;
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(Move) move = NULL;
    gulong connected = 0;
    gboolean moved;

    if (!nest_libvirt_domain(self, uuid, &domain, error) ||
        !check_can(self, domain, offline, error))
        return FALSE;
    move = move_new(domain, to, offline);
    g_thread_unref(g_thread_new("libvirt-migrate", run_move, g_atomic_rc_box_acquire(move)));
    if (cancellable != NULL)
        connected = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), move, NULL);
    moved = follow(move, timeout_ms, cancellable, error);
    if (connected != 0)
        g_cancellable_disconnect(cancellable, connected);
    return moved;
}
