/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"

/* VMs inside VMs. */

static char *inner_path(const char *vm, const char *inner, const char *last, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(inner, NULL, FALSE);
    g_autofree char *rest = g_strconcat("/guests/", escaped, last, NULL);
    return nest_client_vm_path(vm, rest, error);
}

/* last, and which hypervisor is meant. */
static char *query_of(const char *by, const char *last)
{
    g_autofree char *escaped = by != NULL ? g_uri_escape_string(by, NULL, FALSE) : NULL;
    return g_strconcat(last, by != NULL ? "?by=" : NULL, escaped, NULL);
}

/* Takes path, NULL where there is none. */
static gpointer get(NestClient *client, char *path, const NestRecord *record,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *taken = path;
    g_autoptr(json_t) json = NULL;
    if (taken == NULL)
        return NULL;
    g_autoptr(SoupMessage) message = nest_client_message("GET", taken, NULL, NULL);
    return nest_client_request(client, message, &json, cancellable, error)
        ? nest_client_decode(record, json, error)
        : NULL;
}

NestInnerVms *nest_client_inner(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    char *path = nest_client_vm_path(vm, "/guests", error);
    return get(client, path, &nest_inner_vms_record, cancellable, error);
}

NestInnerConsole *nest_client_inner_console(NestClient *client, const char *vm, const char *inner,
    const char *by, GCancellable *cancellable, GError **error)
{
    g_autofree char *last = query_of(by, "/console");
    char *path = inner_path(vm, inner, last, error);
    return get(client, path, &nest_inner_console_record, cancellable, error);
}

NestTree *nest_client_tree(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error)
{
    char *path = vm != NULL ? nest_client_vm_path(vm, "/tree", error) : g_strdup("/v1/tree");
    return get(client, path, &nest_tree_record, cancellable, error);
}

gboolean nest_client_inner_create(NestClient *client, const char *vm, const NestInnerSpec *spec,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/guests", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", path, &nest_inner_spec_record, spec);
    return nest_client_change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_inner_set_state(NestClient *client, const char *vm, const char *inner,
    const NestInnerWish *wish, NestOperation **ret_operation, GCancellable *cancellable,
    GError **error)
{
    g_autofree char *path = inner_path(vm, inner, "/state", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("PUT", path, &nest_inner_wish_record, wish);
    return nest_client_change(client, message, ret_operation, cancellable, error);
}

gboolean nest_client_inner_delete(NestClient *client, const char *vm, const char *inner,
    const char *by, NestOperation **ret_operation, GCancellable *cancellable, GError **error)
{
    g_autofree char *query = query_of(by, "");
    g_autofree char *path = inner_path(vm, inner, query, error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message = nest_client_message("DELETE", path, NULL, NULL);
    return nest_client_change(client, message, ret_operation, cancellable, error);
}
