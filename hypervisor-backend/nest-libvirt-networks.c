/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libvirt/virterror.h>

/* More than anybody has; what is beyond is unknown, and not waited for. */
#define DEFINITIONS_MAX 5000

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

/* Networks and filters may be the business of two daemons: what one says counts without the other.
 */
gboolean nest_libvirt_networks(NestLibvirt *self, GPtrArray **ret_texts, GError **error)
{
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    gboolean networks, filters;

    if (self->embed) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "the libvirt within nestd has no networks and no filters");
        return FALSE;
    }
    if (!nest_libvirt_get(self, &connection, error))
        return FALSE;
    networks = add_networks(connection, texts, error);
    filters = add_filters(connection, texts, NULL);
    if (!networks && !filters)
        return FALSE;
    if (!networks)
        g_clear_error(error);
    *ret_texts = g_steal_pointer(&texts);
    return TRUE;
}
