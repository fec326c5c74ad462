/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-net.h"
#include "nest-error.h"
#include "nest-host-file.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define TEXTS_MAX 5000
#define ROUTES_BYTES_MAX (1024 * 1024)

/* ---- definitions ---- */

static void add_text(NestNetDefinitions *definitions, const char *xml)
{
    g_autoptr(NestNwfilter) filter = nest_nwfilter_read(xml, NULL);
    g_autoptr(NestNetwork) network = filter == NULL ? nest_network_read(xml, NULL) : NULL;
    if (filter != NULL && filter->name != NULL) {
        g_hash_table_insert(definitions->filters, filter->name, filter);
        filter = NULL;
    }
    if (network != NULL && network->name != NULL) {
        g_hash_table_insert(definitions->networks, network->name, network);
        network = NULL;
    }
}

/* A list that could not be read is no empty one. */
static void drop(GHashTable **table, char **ret_why, const char *why, GChecksum *sum)
{
    if (why == NULL)
        return;
    g_clear_pointer(table, g_hash_table_unref);
    *ret_why = g_strdup(why);
    g_checksum_update(sum, (const guchar *)why, strlen(why) + 1);
}

static NestNetDefinitions *new_definitions(const GPtrArray *texts, const NestUnlisted *unlisted)
{
    NestNetDefinitions *definitions = g_atomic_rc_box_new0(NestNetDefinitions);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    definitions->filters =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)nest_nwfilter_free);
    definitions->networks =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)nest_network_free);
    for (guint i = 0; i < texts->len && i < TEXTS_MAX; i++) {
        const char *xml = g_ptr_array_index(texts, i);
        g_checksum_update(sum, (const guchar *)xml, strlen(xml) + 1);
        add_text(definitions, xml);
    }
    drop(&definitions->networks, &definitions->networks_why, unlisted->networks, sum);
    drop(&definitions->filters, &definitions->filters_why, unlisted->filters, sum);
    definitions->key = g_strdup(g_checksum_get_string(sum));
    return definitions;
}

NestNetDefinitions *nest_net_definitions_new(const GPtrArray *texts)
{
    const NestUnlisted none = {0};
    return new_definitions(texts, &none);
}

static NestNetDefinitions *unknown(const char *why)
{
    NestNetDefinitions *definitions = g_atomic_rc_box_new0(NestNetDefinitions);
    definitions->networks_why = g_strdup(why);
    definitions->filters_why = g_strdup(why);
    definitions->key = g_strdup(why);
    return definitions;
}

NestNetDefinitions *nest_net_definitions_take(NestBackend *backend)
{
    g_autoptr(GPtrArray) texts = NULL;
    g_auto(NestUnlisted) unlisted = {0};
    g_autoptr(GError) error = NULL;
    if (backend->ops->networks == NULL)
        return unknown("this hypervisor has no networks of its own");
    if (!backend->ops->networks(backend, &texts, &unlisted, &error))
        return unknown(error->message);
    return new_definitions(texts, &unlisted);
}

NestNetDefinitions *nest_net_definitions_ref(NestNetDefinitions *definitions)
{
    return definitions != NULL ? g_atomic_rc_box_acquire(definitions) : NULL;
}

static void clear_definitions(gpointer data)
{
    NestNetDefinitions *definitions = data;
    g_clear_pointer(&definitions->filters, g_hash_table_unref);
    g_clear_pointer(&definitions->networks, g_hash_table_unref);
    g_free(definitions->networks_why);
    g_free(definitions->filters_why);
    g_free(definitions->key);
}

void nest_net_definitions_unref(NestNetDefinitions *definitions)
{
    if (definitions != NULL)
        g_atomic_rc_box_release_full(definitions, clear_definitions);
}

/* ---- routes ---- */

/* Addresses are printed as numbers of the machine's order, which hold them in the network's. */
static gboolean read_route(const char *line, NestRoute *route)
{
    unsigned int destination, mask, flags;
    guint prefix = 0;
    memset(route, 0, sizeof *route);
    if (sscanf(line, "%15s %x %*x %x %*d %*d %*d %x", route->device, &destination, &flags, &mask) !=
        4)
        return FALSE;
    for (guint32 bits = ntohl(mask); bits != 0; bits <<= 1)
        prefix++;
    route->subnet = (NestSubnet){ntohl(destination), prefix};
    return prefix > 0 && prefix < 31;
}

GArray *nest_net_read_routes(const char *text)
{
    GArray *routes = g_array_new(FALSE, FALSE, sizeof(NestRoute));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    NestRoute route;
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        if (read_route(lines[i], &route))
            g_array_append_val(routes, route);
    return routes;
}

/* ---- all of it ---- */

static char *make_key(const NestNet *net)
{
    GString *key = g_string_new(NULL);
    g_string_printf(key, "%s %d %d %s", net->definitions != NULL ? net->definitions->key : "-",
        net->forwarding.calls, net->forwarding.drops,
        net->routes_error != NULL ? net->routes_error : "");
    for (guint i = 0; i < net->routes->len; i++) {
        const NestRoute *route = &g_array_index(net->routes, NestRoute, i);
        g_string_append_printf(
            key, " %08x/%u %s", route->subnet.address, route->subnet.prefix, route->device);
    }
    return g_string_free(key, FALSE);
}

NestNet *nest_net_take(const char *root, NestNetDefinitions *definitions)
{
    NestNet *net = g_atomic_rc_box_new0(NestNet);
    g_autofree char *routes =
        nest_host_file_text(root, "proc/net/route", ROUTES_BYTES_MAX, &net->routes_error);
    net->definitions = nest_net_definitions_ref(definitions);
    net->links = nest_links_read(root);
    net->routes = nest_net_read_routes(routes != NULL ? routes : "");
    nest_forwarding_read(root, &net->forwarding);
    net->key = make_key(net);
    return net;
}

NestNet *nest_net_ref(NestNet *net)
{
    return g_atomic_rc_box_acquire(net);
}

static void clear_net(gpointer data)
{
    NestNet *net = data;
    nest_net_definitions_unref(net->definitions);
    nest_links_free(net->links);
    g_array_unref(net->routes);
    g_free(net->routes_error);
    nest_forwarding_clear(&net->forwarding);
    g_free(net->key);
}

void nest_net_unref(NestNet *net)
{
    if (net != NULL)
        g_atomic_rc_box_release_full(net, clear_net);
}

/* ---- the key of a VM ---- */

static void hash_link(const NestNet *net, const NestLink *link, GChecksum *sum)
{
    if (link == NULL)
        return;
    g_autofree char *text = nest_link_text(link);
    g_checksum_update(sum, (const guchar *)text, strlen(text) + 1);
    if (g_strcmp0(link->kind, "bridge") == 0)
        hash_link(net, nest_links_uplink(net->links, link), sum);
}

/* The devices named by one attribute, with what they are ports of or made on. */
static void hash_named(const NestNet *net, const char *xml, const char *attribute, GChecksum *sum)
{
    for (const char *at = strstr(xml, attribute); at != NULL; at = strstr(at + 1, attribute)) {
        const char *value = at + strlen(attribute);
        gsize length = strcspn(value + 1, "'\"<");
        char name[32];
        if ((*value != '\'' && *value != '"') || length >= sizeof name)
            continue;
        g_strlcpy(name, value + 1, length + 1);
        const NestLink *link = nest_links_find(net->links, name);
        hash_link(net, link, sum);
        if (link != NULL) {
            hash_link(net, nest_links_at(net->links, link->master), sum);
            hash_link(net, nest_links_at(net->links, link->lower), sum);
        }
    }
}

/* A virtual function is found by its address only. */
static void hash_functions(const NestNet *net, GChecksum *sum)
{
    for (guint i = 0; i < net->links->all->len; i++) {
        const NestLink *link = g_ptr_array_index(net->links->all, i);
        if (link->vfs != NULL)
            hash_link(net, link, sum);
    }
}

char *nest_net_key(const NestNet *net, const char *xml)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    if (xml == NULL || strstr(xml, "<interface") == NULL)
        return g_strdup("");
    g_checksum_update(sum, (const guchar *)net->key, -1);
    hash_named(net, xml, " dev=", sum);
    hash_named(net, xml, " bridge=", sum);
    if (strstr(xml, "'hostdev'") != NULL || strstr(xml, "\"hostdev\"") != NULL)
        hash_functions(net, sum);
    return g_strdup(g_checksum_get_string(sum));
}
