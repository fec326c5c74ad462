/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-embed.h"
#include "nest-libvirt-loop.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>

/* A daemon that answers nothing for (COUNT + 1) * INTERVAL seconds counts as gone. */
#define KEEPALIVE_INTERVAL 5
#define KEEPALIVE_COUNT 3

#define CONNECT_TIMEOUT_MS 10000
#define SETTLE_TIMEOUT_MS 5000

struct NestLibvirtAttempt {
    GMutex lock;
    GCond cond;
    char *uri;
    gboolean done;
    virConnectPtr connection;
    GError *error;
};

static void attempt_clear(gpointer data)
{
    NestLibvirtAttempt *attempt = data;

    g_clear_pointer(&attempt->connection, virConnectClose);
    g_clear_error(&attempt->error);
    g_free(attempt->uri);
    g_cond_clear(&attempt->cond);
    g_mutex_clear(&attempt->lock);
}

static void attempt_unref(NestLibvirtAttempt *attempt)
{
    g_atomic_rc_box_release_full(attempt, attempt_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestLibvirtAttempt, attempt_unref)

static gpointer run_attempt(gpointer data)
{
    g_autoptr(NestLibvirtAttempt) attempt = data;
    virConnectPtr connection = virConnectOpen(attempt->uri);
    g_autofree char *what = g_strdup_printf("Cannot connect to %s", attempt->uri);

    g_mutex_lock(&attempt->lock);
    if (connection == NULL)
        nest_virt_error_set_open(&attempt->error, what);
    attempt->connection = connection;
    attempt->done = TRUE;
    g_cond_signal(&attempt->cond);
    g_mutex_unlock(&attempt->lock);
    return NULL;
}

static NestLibvirtAttempt *attempt_new(const char *uri)
{
    NestLibvirtAttempt *attempt = g_atomic_rc_box_new0(NestLibvirtAttempt);

    g_mutex_init(&attempt->lock);
    g_cond_init(&attempt->cond);
    attempt->uri = g_strdup(uri);
    g_thread_unref(g_thread_new("libvirt-open", run_attempt, g_atomic_rc_box_acquire(attempt)));
    return attempt;
}

/* FALSE if it is still under way after timeout_ms. */
static gboolean attempt_wait(NestLibvirtAttempt *attempt, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * G_TIME_SPAN_MILLISECOND;
    gboolean in_time = TRUE, done;

    g_mutex_lock(&attempt->lock);
    while (!attempt->done && in_time)
        in_time = g_cond_wait_until(&attempt->cond, &attempt->lock, deadline);
    done = attempt->done;
    g_mutex_unlock(&attempt->lock);
    return done;
}

/* What an attempt that is done came to. */
static gboolean attempt_take(
    NestLibvirtAttempt *attempt, virConnectPtr *ret_connection, GError **error)
{
    if (attempt->connection == NULL) {
        g_propagate_error(error, g_steal_pointer(&attempt->error));
        return FALSE;
    }
    *ret_connection = g_steal_pointer(&attempt->connection);
    return TRUE;
}

static gboolean no_answer(const char *uri, guint timeout_ms, GError **error)
{
    nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE,
        "check the libvirt daemon: it is there, but does not answer",
        "%s did not answer within %u seconds", uri, timeout_ms / 1000);
    return FALSE;
}

gboolean nest_libvirt_connect(
    const char *uri, guint timeout_ms, virConnectPtr *ret_connection, GError **error)
{
    g_autoptr(NestLibvirtAttempt) attempt = attempt_new(uri);

    if (!attempt_wait(attempt, timeout_ms))
        return no_answer(uri, timeout_ms, error);
    return attempt_take(attempt, ret_connection, error);
}

/* One attempt at a time: against a daemon that hangs, opening again and again waits for the
 * first attempt instead of piling up threads. */
static gboolean connect_remote(NestLibvirt *self, virConnectPtr *ret_connection, GError **error)
{
    gboolean taken;

    if (self->attempt == NULL)
        self->attempt = attempt_new(self->options.uri);
    if (!attempt_wait(self->attempt, CONNECT_TIMEOUT_MS))
        return no_answer(self->options.uri, CONNECT_TIMEOUT_MS, error);
    taken = attempt_take(self->attempt, ret_connection, error);
    g_clear_pointer(&self->attempt, attempt_unref);
    if (taken && virConnectSetKeepAlive(*ret_connection, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT) < 0)
        virResetLastError();
    return taken;
}

static gboolean connect_embedded(NestLibvirt *self, virConnectPtr *ret_connection, GError **error)
{
    const char *root = self->options.root;
    g_autofree char *uri = NULL;
    virConnectPtr connection;
    gint64 holder;

    if (!nest_libvirt_embed_check_root(root, error) ||
        !nest_libvirt_embed_prepare(&self->options, error))
        return FALSE;
    uri = nest_libvirt_embed_uri(root);
    connection = virConnectOpen(uri);
    if (connection != NULL) {
        *ret_connection = connection;
        return TRUE;
    }
    holder = nest_libvirt_embed_holder(root);
    if (holder > 0)
        nest_set_error(error, NEST_ERROR_ALREADY_RUNNING, "stop the other process, or wait for it",
            "The process %" G_GINT64_FORMAT " holds the hypervisor's root directory %s already",
            holder, root);
    else if (virGetLastErrorCode() == VIR_ERR_INVALID_ARG)
        nest_set_error(error, NEST_ERROR_CONFIG,
            "create the system user and group of that name, even if QEMU runs as another one",
            "The embedded hypervisor does not start: %s", virGetLastErrorMessage());
    else
        nest_virt_error_set_open(error, "The embedded hypervisor does not start");
    return FALSE;
}

static void tell(NestLibvirt *self, NestBackendEvent event, const char *uuid)
{
    if (self->handler != NULL)
        self->handler(event, uuid, self->user_data);
}

static int on_lifecycle(
    virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
    NestLibvirt *self = data;
    gboolean gone =
        event == VIR_DOMAIN_EVENT_UNDEFINED && detail != VIR_DOMAIN_EVENT_UNDEFINED_RENAMED;
    char uuid[VIR_UUID_STRING_BUFLEN];

    g_mutex_lock(&self->lock);
    self->events++;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    if (virDomainGetUUIDString(domain, uuid) == 0)
        tell(self, gone ? NEST_BACKEND_VM_GONE : NEST_BACKEND_VM_CHANGED, uuid);
    return 0;
}

static void on_close(virConnectPtr connection, int reason, void *data)
{
    NestLibvirt *self = data;
    gboolean ours;

    g_mutex_lock(&self->lock);
    ours = self->connection == connection && !self->lost;
    self->lost = self->lost || ours;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    if (ours)
        tell(self, NEST_BACKEND_LOST, NULL);
}

static void close_connection(NestLibvirt *self)
{
    virConnectPtr connection;
    int lifecycle;

    g_mutex_lock(&self->lock);
    connection = g_steal_pointer(&self->connection);
    lifecycle = self->lifecycle;
    self->lifecycle = -1;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    if (connection == NULL)
        return;
    if (lifecycle >= 0)
        virConnectDomainEventDeregisterAny(connection, lifecycle);
    virConnectUnregisterCloseCallback(connection, on_close);
    virConnectClose(connection);
}

static gboolean is_open(NestLibvirt *self)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    return self->connection != NULL && !self->lost && virConnectIsAlive(self->connection) == 1;
}

/* Takes connection over. */
static gboolean watch(NestLibvirt *self, virConnectPtr connection, GError **error)
{
    int lifecycle;

    g_mutex_lock(&self->lock);
    self->connection = connection;
    self->lost = FALSE;
    g_mutex_unlock(&self->lock);
    if (!self->embed && virConnectRegisterCloseCallback(connection, on_close, self, NULL) < 0)
        virResetLastError();
    lifecycle = virConnectDomainEventRegisterAny(connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), self, NULL);
    if (lifecycle < 0) {
        nest_virt_error_set(error, connection, "Cannot watch virtual machines");
        close_connection(self);
        return FALSE;
    }
    g_mutex_lock(&self->lock);
    self->lifecycle = lifecycle;
    g_mutex_unlock(&self->lock);
    return TRUE;
}

gboolean nest_libvirt_open(NestLibvirt *self, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->opening);
    virConnectPtr connection = NULL;

    if (is_open(self))
        return TRUE;
    if (!self->used)
        nest_libvirt_loop_start();
    self->used = TRUE;
    close_connection(self);
    if (self->embed ? !connect_embedded(self, &connection, error)
                    : !connect_remote(self, &connection, error))
        return FALSE;
    if (!watch(self, connection, error))
        return FALSE;
    nest_libvirt_settle(self, connection, SETTLE_TIMEOUT_MS);
    nest_libvirt_boot_clean(self, connection);
    return TRUE;
}

void nest_libvirt_close(NestLibvirt *self)
{
    close_connection(self);
    g_clear_pointer(&self->attempt, attempt_unref);
    if (self->used)
        nest_libvirt_loop_stop();
}

gboolean nest_libvirt_get(NestLibvirt *self, virConnectPtr *ret_connection, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    if (self->connection == NULL || self->lost || virConnectRef(self->connection) < 0) {
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, "try again in a moment",
            "There is no connection to the hypervisor");
        return FALSE;
    }
    *ret_connection = self->connection;
    return TRUE;
}

gboolean nest_libvirt_domain(
    NestLibvirt *self, const char *uuid, virDomainPtr *ret_domain, GError **error)
{
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(virDomain) domain = NULL;
    int persistent;

    if (!nest_libvirt_get(self, &connection, error))
        return FALSE;
    domain = virDomainLookupByUUIDString(connection, uuid);
    persistent = domain != NULL ? virDomainIsPersistent(domain) : -1;
    if (persistent < 0) {
        nest_virt_error_set(error, connection, "Cannot find the virtual machine");
        return FALSE;
    }
    if (persistent == 0) {
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, "define it, or leave it to who started it",
            "%s runs without a stored definition", virDomainGetName(domain));
        return FALSE;
    }
    *ret_domain = g_steal_pointer(&domain);
    return TRUE;
}
