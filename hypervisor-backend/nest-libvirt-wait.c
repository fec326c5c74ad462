/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>

/* Events tell; this is for the one that is missed. */
#define LOOK_AGAIN_US (5 * G_TIME_SPAN_SECOND)

typedef struct {
    NestLibvirt *self;
    virDomainPtr domain;
    gint64 deadline;
    guint timeout_ms;
    GCancellable *cancellable;
} Wait;

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    NestLibvirt *self = data;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    g_cond_broadcast(&self->changed);
}

/* Waits for an event after the first seen ones, or until it is time to look again. FALSE if there
 * is nothing to wait for any more. */
static gboolean wait_for_event(const Wait *wait, guint64 seen, GError **error)
{
    NestLibvirt *self = wait->self;
    gint64 until = MIN(wait->deadline, g_get_monotonic_time() + LOOK_AGAIN_US);
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    while (self->events == seen && !self->lost && self->connection != NULL &&
        !g_cancellable_is_cancelled(wait->cancellable) &&
        g_cond_wait_until(&self->changed, &self->lock, until))
        ;
    if (g_cancellable_is_cancelled(wait->cancellable)) {
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "Waiting for %s to turn off was aborted",
            virDomainGetName(wait->domain));
        return FALSE;
    }
    if (!self->lost && self->connection != NULL)
        return TRUE;
    nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, "try again in a moment",
        "The connection to the hypervisor broke while %s was to turn off",
        virDomainGetName(wait->domain));
    return FALSE;
}

static gboolean wait_until_off(const Wait *wait, GError **error)
{
    gboolean late;
    guint64 seen;
    int active;

    do {
        g_mutex_lock(&wait->self->lock);
        seen = wait->self->events;
        g_mutex_unlock(&wait->self->lock);
        late = g_get_monotonic_time() >= wait->deadline;
        active = virDomainIsActive(wait->domain);
        if (active == 0 || (active < 0 && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN))
            return TRUE;
        if (active < 0) {
            nest_virt_error_set_domain(error, wait->domain, "read");
            return FALSE;
        }
        if (late) {
            nest_set_error(error, NEST_ERROR_TIMEOUT, "wait longer, or power it off",
                "%s did not turn off within %u seconds", virDomainGetName(wait->domain),
                (wait->timeout_ms + 999) / 1000);
            return FALSE;
        }
    } while (wait_for_event(wait, seen, error));
    return FALSE;
}

gboolean nest_libvirt_wait_off(NestLibvirt *self, virDomainPtr domain, guint timeout_ms,
    GCancellable *cancellable, GError **error)
{
    const Wait wait = {.self = self,
        .domain = domain,
        .deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND,
        .timeout_ms = timeout_ms,
        .cancellable = cancellable};
    gulong connected = 0;
    gboolean off;

    if (cancellable != NULL)
        connected = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self, NULL);
    off = wait_until_off(&wait, error);
    if (connected != 0)
        g_cancellable_disconnect(cancellable, connected);
    return off;
}
