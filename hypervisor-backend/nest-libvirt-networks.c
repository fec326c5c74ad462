/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>

/* More than anybody has; what is beyond is unknown, and not waited for. */
#define DEFINITIONS_MAX 5000
#define ANSWER_TIMEOUT_MS 5000

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetwork, virNetworkFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNWFilter, virNWFilterFree)

/* libvirt's text is its own memory; one that vanished meanwhile has none. */
static void add(GPtrArray *texts, char *xml)
{
    if (xml != NULL && texts->len < DEFINITIONS_MAX)
        g_ptr_array_add(texts, g_strdup(xml));
    free(xml);
}

static gboolean fail(virConnectPtr connection, const char *what, GError **error)
{
    if (virGetLastErrorCode() == VIR_ERR_NO_SUPPORT)
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL, "%s: this libvirt has none", what);
    else
        nest_virt_error_set(error, connection, what);
    return FALSE;
}

static gboolean add_networks(virConnectPtr connection, GPtrArray *texts, GError **error)
{
    virNetworkPtr *networks = NULL;
    int n = virConnectListAllNetworks(connection, &networks, 0);

    if (n < 0)
        return fail(connection, "Cannot list the virtual networks", error);
    for (int i = 0; i < n; i++) {
        g_autoptr(virNetwork) network = networks[i];
        add(texts, virNetworkGetXMLDesc(network, 0));
    }
    free(networks);
    return TRUE;
}

static gboolean add_filters(virConnectPtr connection, GPtrArray *texts, GError **error)
{
    virNWFilterPtr *filters = NULL;
    int n = virConnectListAllNWFilters(connection, &filters, 0);

    if (n < 0)
        return fail(connection, "Cannot list the network filters", error);
    for (int i = 0; i < n; i++) {
        g_autoptr(virNWFilter) filter = filters[i];
        add(texts, virNWFilterGetXMLDesc(filter, 0));
    }
    free(filters);
    return TRUE;
}

/* What is asked of libvirt, where another daemon may have to answer. */
typedef struct {
    virConnectPtr connection;
    GPtrArray *texts;
    NestUnlisted unlisted;
} Errand;

static void errand_free(gpointer data)
{
    Errand *errand = data;

    virConnectClose(errand->connection);
    g_clear_pointer(&errand->texts, g_ptr_array_unref);
    nest_unlisted_clear(&errand->unlisted);
    g_free(errand);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Errand, errand_free)

/* NULL with error. One at a time: what hangs, hangs once. */
static Errand *ask(
    NestLibvirt *self, NestLibvirtErrand function, const char *failure, GError **error)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->asking);
    g_autoptr(virConnect) connection = NULL;
    Errand *errand;

    if (!nest_libvirt_get(self, &connection, error))
        return NULL;
    errand = g_new0(Errand, 1);
    errand->connection = g_steal_pointer(&connection);
    errand->texts = g_ptr_array_new_with_free_func(g_free);
    return nest_libvirt_run_daemon(
               function, errand, errand_free, self->late, ANSWER_TIMEOUT_MS, failure, error)
        ? errand
        : NULL;
}

/* Networks and filters may be the business of two daemons: what one says counts without the other.
 */
static gboolean read_all(gpointer data, GError **error)
{
    Errand *errand = data;
    g_autoptr(GError) networks = NULL, filters = NULL;

    if (!add_networks(errand->connection, errand->texts, &networks))
        errand->unlisted.networks = g_strdup(networks->message);
    if (!add_filters(errand->connection, errand->texts, &filters))
        errand->unlisted.filters = g_strdup(filters->message);
    if (networks == NULL || filters == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&networks));
    return FALSE;
}

gboolean nest_libvirt_networks(
    NestLibvirt *self, GPtrArray **ret_texts, NestUnlisted *ret_unlisted, GError **error)
{
    if (self->embed) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "the libvirt within nestd has no networks and no filters");
        return FALSE;
    }
    g_autoptr(Errand) errand =
        ask(self, read_all, "Cannot read the virtual networks and network filters", error);
    if (errand == NULL)
        return FALSE;
    *ret_texts = g_steal_pointer(&errand->texts);
    *ret_unlisted = errand->unlisted;
    errand->unlisted = (NestUnlisted){0};
    return TRUE;
}

static gboolean count(gpointer data, GError **error)
{
    const Errand *errand = data;

    return virConnectNumOfNetworks(errand->connection) >= 0 ||
        fail(errand->connection, "Cannot count the virtual networks", error);
}

/* Where nobody answers, there is somebody who does not. */
gboolean nest_libvirt_has_networks(NestLibvirt *self)
{
    if (self->embed)
        return FALSE;
    g_autoptr(GError) why = NULL;
    g_autoptr(Errand) errand = ask(self, count, "Cannot count the virtual networks", &why);
    return errand != NULL || nest_error_code(why) == NEST_ERROR_TIMEOUT;
}
