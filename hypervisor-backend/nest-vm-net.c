/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-net.h"
#include <string.h>

/* What QEMU's user-mode network is unless told otherwise. */
static const NestSubnet user_subnet = {0x0a000200, 24};

static void path_free(gpointer data)
{
    NestNetPath *path = data;
    g_free(path->name);
    nest_filter_verdict_clear(&path->filter);
    g_array_unref(path->subnets);
    g_free(path);
}

void nest_vm_net_free(NestVmNet *vm)
{
    if (vm == NULL)
        return;
    nest_net_unref(vm->net);
    g_ptr_array_unref(vm->paths);
    g_strfreev(vm->blocking);
    g_free(vm);
}

static gboolean is(const char *text, const char *word)
{
    return g_strcmp0(text, word) == 0;
}

/* The interface that runs: that of the same address, else that of the same place. */
static const NestNic *find_live(const NestDomain *live, const NestNic *nic, guint index)
{
    const GPtrArray *nics = live != NULL ? live->extras.nics : NULL;
    for (guint i = 0; nics != NULL && nic->mac != NULL && i < nics->len; i++) {
        const NestNic *other = g_ptr_array_index(nics, i);
        if (other->mac != NULL && g_ascii_strcasecmp(other->mac, nic->mac) == 0)
            return other;
    }
    return nics != NULL && nic->mac == NULL && index < nics->len ? g_ptr_array_index(nics, index)
                                                                 : NULL;
}

static NestWay way_of_network(const NestNetwork *network)
{
    if (network == NULL)
        return NEST_WAY_UNKNOWN;
    if (nest_network_is_own(network))
        return NEST_WAY_OWN;
    if (is(network->forward, "hostdev"))
        return NEST_WAY_FUNCTION;
    return is(network->forward, "bridge") && network->bridge != NULL ? NEST_WAY_BRIDGE
                                                                     : NEST_WAY_MACVTAP;
}

static NestWay way_of(const NestNetPath *path)
{
    static const struct {
        const char *type;
        NestWay way;
    } ways[] = {{"user", NEST_WAY_USER}, {"bridge", NEST_WAY_BRIDGE}, {"direct", NEST_WAY_MACVTAP},
        {"hostdev", NEST_WAY_FUNCTION}};
    if (is(path->nic->type, "network"))
        return way_of_network(path->network);
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++)
        if (is(path->nic->type, ways[i].type))
            return ways[i].way;
    return NEST_WAY_OTHER;
}

static const NestNetwork *network_of(const NestNet *net, const NestNic *nic)
{
    const NestNetDefinitions *definitions = net != NULL ? net->definitions : NULL;
    if (!is(nic->type, "network") || nic->source == NULL || definitions == NULL ||
        definitions->networks == NULL)
        return NULL;
    return g_hash_table_lookup(definitions->networks, nic->source);
}

static const NestLink *bridge_of(const NestNet *net, const NestNetPath *path)
{
    const NestLink *master =
        path->tap != NULL ? nest_links_at(net->links, path->tap->master) : NULL;
    if (master != NULL)
        return master;
    const char *name = path->live != NULL && path->live->bridge != NULL ? path->live->bridge
        : is(path->nic->type, "bridge")                                 ? path->nic->source
        : path->network != NULL                                         ? path->network->bridge
                                                                        : NULL;
    const NestLink *bridge = nest_links_find(net->links, name);
    return bridge != NULL && is(bridge->kind, "bridge") ? bridge : NULL;
}

static void find_links(const NestNet *net, NestNetPath *path)
{
    path->tap_name = path->live != NULL ? path->live->target : NULL;
    path->tap = nest_links_find(net->links, path->tap_name);
    if (path->way == NEST_WAY_MACVTAP) {
        const char *device = path->network != NULL ? path->network->device : path->nic->source;
        path->uplink = path->tap != NULL ? nest_links_at(net->links, path->tap->lower) : NULL;
        if (path->uplink == NULL)
            path->uplink = nest_links_find(net->links, device);
        return;
    }
    if (path->way == NEST_WAY_FUNCTION) {
        const char *mac = path->live != NULL ? path->live->mac : NULL;
        path->vf = nest_links_vf(net->links, mac, &path->vf_device);
        path->uplink = path->vf_device;
        return;
    }
    path->bridge = bridge_of(net, path);
    path->uplink = nest_links_uplink(net->links, path->bridge);
}

static void add_routes(const NestNet *net, const char *device, GArray *subnets)
{
    for (guint i = 0; device != NULL && i < net->routes->len; i++) {
        const NestRoute *route = &g_array_index(net->routes, NestRoute, i);
        if (strcmp(route->device, device) == 0 && route->subnet.prefix >= 16)
            g_array_append_val(subnets, route->subnet);
    }
}

static void find_subnets(const NestNet *net, NestNetPath *path)
{
    path->subnets = g_array_new(FALSE, FALSE, sizeof(NestSubnet));
    if (path->way == NEST_WAY_USER)
        g_array_append_val(path->subnets, user_subnet);
    if (path->network != NULL)
        g_array_append_vals(
            path->subnets, path->network->subnets->data, path->network->subnets->len);
    if (net == NULL || path->subnets->len > 0)
        return;
    if (path->bridge != NULL)
        add_routes(net, path->bridge->name, path->subnets);
    else if (path->uplink != NULL)
        add_routes(net, path->uplink->name, path->subnets);
}

static const char *mode_of(const NestNetPath *path)
{
    if (path->way != NEST_WAY_MACVTAP)
        return NULL;
    if (path->tap != NULL && path->tap->mode != NULL)
        return path->tap->mode;
    return path->network != NULL ? path->network->forward : path->nic->mode;
}

static NestNetPath *new_path(NestNet *net, const NestDomain *live, const NestNic *nic, guint index)
{
    NestNetPath *path = g_new0(NestNetPath, 1);
    path->nic = nic;
    path->live = find_live(live, nic, index);
    path->network = network_of(net, nic);
    path->way = way_of(path);
    nest_nwfilter_judge(net != NULL && net->definitions != NULL ? net->definitions->filters : NULL,
        nic->filter, &path->filter);
    path->ovs = nic->ovs || (path->network != NULL && path->network->ovs);
    path->managed = nic->managed;
    path->isolated = nic->isolated || (path->network != NULL && path->network->isolated);
    if (net != NULL)
        find_links(net, path);
    path->mode = mode_of(path);
    find_subnets(net, path);
    path->name = path->tap_name != NULL ? g_strdup(path->tap_name)
        : nic->mac != NULL              ? g_strdup(nic->mac)
                                        : g_strdup_printf("interface %u", index + 1);
    return path;
}

static GStrv blocking_of(const GPtrArray *paths)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < paths->len; i++) {
        const NestNetPath *path = g_ptr_array_index(paths, i);
        if (path->filter.answer == NEST_FILTER_BLOCKS &&
            !g_ptr_array_find_with_equal_func(names, path->nic->filter, g_str_equal, NULL))
            g_ptr_array_add(names, g_strdup(path->nic->filter));
    }
    g_ptr_array_add(names, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

NestVmNet *nest_vm_net_new(NestNet *net, const NestDomain *domain, const NestDomain *live)
{
    NestVmNet *vm = g_new0(NestVmNet, 1);
    vm->net = net != NULL ? nest_net_ref(net) : NULL;
    vm->paths = g_ptr_array_new_with_free_func(path_free);
    for (guint i = 0; i < domain->extras.nics->len; i++)
        g_ptr_array_add(
            vm->paths, new_path(net, live, g_ptr_array_index(domain->extras.nics, i), i));
    vm->blocking = blocking_of(vm->paths);
    return vm;
}

static void add_networks(GHashTable *networks, GArray *taken)
{
    GHashTableIter iter;
    gpointer network;
    g_hash_table_iter_init(&iter, networks);
    while (g_hash_table_iter_next(&iter, NULL, &network)) {
        const GArray *subnets = ((NestNetwork *)network)->subnets;
        g_array_append_vals(taken, subnets->data, subnets->len);
    }
}

gboolean nest_vm_net_pick(const NestVmNet *vm, NestSubnet *ret_subnet)
{
    const NestNet *net = vm->net;
    if (net == NULL || net->routes_error != NULL)
        return FALSE;
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(NestSubnet));
    for (guint i = 0; i < net->routes->len; i++)
        g_array_append_val(taken, g_array_index(net->routes, NestRoute, i).subnet);
    if (net->definitions != NULL && net->definitions->networks != NULL)
        add_networks(net->definitions->networks, taken);
    for (guint i = 0; i < vm->paths->len; i++) {
        const NestNetPath *path = g_ptr_array_index(vm->paths, i);
        g_array_append_vals(taken, path->subnets->data, path->subnets->len);
    }
    return nest_subnet_pick(taken, ret_subnet);
}
