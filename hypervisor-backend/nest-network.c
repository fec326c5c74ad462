/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-network.h"
#include "nest-document.h"

void nest_network_free(NestNetwork *network)
{
    if (network == NULL)
        return;
    g_free(network->name);
    g_free(network->forward);
    g_free(network->bridge);
    g_free(network->device);
    g_array_unref(network->subnets);
    g_free(network);
}

/* libvirt takes a prefix or a netmask; other families have no dots. */
static void read_ip(const xmlNode *ip, NestNetwork *network)
{
    g_autofree char *address = nest_element_get(ip, "address");
    g_autofree char *netmask = nest_element_get(ip, "netmask");
    g_autofree char *prefix = nest_element_get(ip, "prefix");
    guint64 bits = 0;
    NestSubnet subnet;
    gboolean known = prefix != NULL && g_ascii_string_to_unsigned(prefix, 10, 0, 32, &bits, NULL);
    if ((known || netmask != NULL) &&
        nest_subnet_parse(address, (guint)bits, known ? NULL : netmask, &subnet))
        g_array_append_val(network->subnets, subnet);
}

static void read_forward(const xmlNode *forward, NestNetwork *network)
{
    const xmlNode *interface = nest_element_child(forward, "interface");
    if (forward == NULL)
        return;
    network->forward = nest_element_get(forward, "mode");
    if (network->forward == NULL)
        network->forward = g_strdup("nat");
    network->device = nest_element_get(forward, "dev");
    if (network->device == NULL)
        network->device = nest_element_get(interface, "dev");
}

NestNetwork *nest_network_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nest_document_parse_other(xml, "network", error);
    if (doc == NULL)
        return NULL;
    NestNetwork *network = g_new0(NestNetwork, 1);
    const xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *bridge = nest_element_child(root, "bridge");
    network->subnets = g_array_new(FALSE, FALSE, sizeof(NestSubnet));
    network->name = nest_element_text(nest_element_child(root, "name"));
    network->bridge = nest_element_get(bridge, "name");
    network->fixed_table = nest_element_has(bridge, "macTableManager", "libvirt");
    network->isolated = nest_element_has(nest_element_child(root, "port"), "isolated", "yes");
    network->ovs = nest_element_has(nest_element_child(root, "virtualport"), "type", "openvswitch");
    read_forward(nest_element_child(root, "forward"), network);
    for (const xmlNode *ip = nest_element_child(root, "ip"); ip != NULL;
         ip = nest_element_next(ip, "ip"))
        read_ip(ip, network);
    return network;
}

gboolean nest_network_is_own(const NestNetwork *network)
{
    static const char *const own[] = {"nat", "route", "open", NULL};
    return network->forward == NULL || g_strv_contains(own, network->forward);
}
