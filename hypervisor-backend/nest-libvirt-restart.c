/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"

#define ANSWER_TIMEOUT_MS 10000
/* Events tell; this is for the one that is missed. */
#define LOOK_AGAIN_US (5 * G_TIME_SPAN_SECOND)

/* What events tell of one VM. libvirt may still be in a callback after it was deregistered. */
typedef struct {
    GMutex lock;
    GCond changed;
    gboolean begun; /* its CPUs were reset */
    guint64 events;
} Watch;

static void watch_clear(gpointer data)
{
    Watch *watch = data;

    g_cond_clear(&watch->changed);
    g_mutex_clear(&watch->lock);
}

static void watch_unref(void *watch)
{
    g_atomic_rc_box_release_full(watch, watch_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_unref)

static void tell(Watch *watch, gboolean begun)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);

    watch->begun = watch->begun || begun;
    watch->events++;
    g_cond_broadcast(&watch->changed);
}

static void on_reset(virConnectPtr connection, virDomainPtr domain, void *data)
{
    tell(data, TRUE);
}

static int on_lifecycle(
    virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
    tell(data, FALSE);
    return 0;
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    tell(data, FALSE);
}

typedef struct {
    virDomainPtr domain;
    Watch *watch;
    GCancellable *cancellable;
    guint timeout_ms;
    gint64 deadline;
    NestVmState before;
} Restart;

static gboolean fail(const Restart *restart, NestErrorCode code, const char *what, GError **error)
{
    nest_set_error(error, code, NULL, "%s %s", virDomainGetName(restart->domain), what);
    return FALSE;
}

/* A guest that was asked turns off first; it runs again some moments after its CPUs were reset. */
static gboolean is_back(const Restart *restart, gboolean begun, gboolean *ret_back, GError **error)
{
    NestVmState now;

    if (!nest_libvirt_state(restart->domain, &now, error))
        return FALSE;
    if (now == NEST_VM_OFF)
        return fail(restart, NEST_ERROR_VM_STATE, "turned off instead of restarting", error);
    *ret_back = begun && now == restart->before;
    return TRUE;
}

static gboolean wait_for_event(const Restart *restart, guint64 seen, GError **error)
{
    gint64 until = MIN(restart->deadline, g_get_monotonic_time() + LOOK_AGAIN_US);
    Watch *watch = restart->watch;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&watch->lock);

    while (watch->events == seen && g_cond_wait_until(&watch->changed, &watch->lock, until))
        ;
    if (g_cancellable_is_cancelled(restart->cancellable))
        return fail(restart, NEST_ERROR_ABORTED, "was asked to reboot, and may still do so", error);
    if (g_get_monotonic_time() < restart->deadline || watch->events != seen)
        return TRUE;
    nest_set_error(error, NEST_ERROR_TIMEOUT, "wait longer, or reset it",
        "%s did not restart within %u seconds", virDomainGetName(restart->domain),
        (restart->timeout_ms + 999) / 1000);
    return FALSE;
}

static gboolean wait_until_back(const Restart *restart, GError **error)
{
    gboolean back = FALSE, begun;
    guint64 seen;

    do {
        g_mutex_lock(&restart->watch->lock);
        seen = restart->watch->events;
        begun = restart->watch->begun;
        g_mutex_unlock(&restart->watch->lock);
        if (!is_back(restart, begun, &back, error))
            return FALSE;
    } while (!back && wait_for_event(restart, seen, error));
    return back;
}

static int press_reset(virDomainPtr domain)
{
    return virDomainReset(domain, 0);
}

/* By the power button, as a shutdown is asked for. */
static int ask(virDomainPtr domain)
{
    return virDomainReboot(domain, VIR_DOMAIN_REBOOT_ACPI_POWER_BTN);
}

static gboolean watched(const Restart *restart, gboolean hard, GError **error)
{
    gulong connected = 0;
    gboolean back;

    if (!nest_libvirt_call(restart->domain, hard ? press_reset : ask, ANSWER_TIMEOUT_MS,
            hard ? "reset" : "reboot", error))
        return FALSE;
    if (restart->cancellable != NULL)
        connected = g_cancellable_connect(
            restart->cancellable, G_CALLBACK(on_cancelled), restart->watch, NULL);
    back = wait_until_back(restart, error);
    if (connected != 0)
        g_cancellable_disconnect(restart->cancellable, connected);
    return back;
}

static int listen_to(
    const Restart *restart, int kind, virConnectDomainEventGenericCallback callback)
{
    Watch *watch = g_atomic_rc_box_acquire(restart->watch);
    int id = virConnectDomainEventRegisterAny(
        virDomainGetConnect(restart->domain), restart->domain, kind, callback, watch, watch_unref);

    if (id < 0)
        watch_unref(watch);
    return id;
}

static void stop_listening(const Restart *restart, int id)
{
    if (id >= 0)
        virConnectDomainEventDeregisterAny(virDomainGetConnect(restart->domain), id);
}

gboolean nest_libvirt_restart(NestBackend *backend, const char *uuid, gboolean hard,
    guint timeout_ms, GCancellable *cancellable, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(Watch) watch = g_atomic_rc_box_new0(Watch);
    Restart restart = {.watch = watch, .cancellable = cancellable, .timeout_ms = timeout_ms};
    gboolean back = FALSE;
    int resets, others;

    g_mutex_init(&watch->lock);
    g_cond_init(&watch->changed);
    if (!nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) ||
        !nest_libvirt_state(domain, &restart.before, error))
        return FALSE;
    restart.domain = domain;
    restart.deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    resets = listen_to(&restart, VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reset));
    others =
        listen_to(&restart, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle));
    if (resets < 0 || others < 0)
        nest_virt_error_set_domain(error, domain, "watch");
    else
        back = watched(&restart, hard, error);
    stop_listening(&restart, resets);
    stop_listening(&restart, others);
    return back;
}
