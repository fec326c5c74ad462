/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-nic.h"
#include "nest-domain-read.h"

void nest_nic_free(NestNic *nic)
{
    g_free(nic->type);
    g_free(nic->source);
    g_free(nic->bridge);
    g_free(nic->mac);
    g_free(nic->target);
    g_free(nic->filter);
    g_free(nic->mode);
    g_free(nic->model);
    g_free(nic);
}

static void read_source(const xmlNode *source, NestNic *nic)
{
    static const char *const names[] = {"network", "bridge", "dev"};
    for (guint i = 0; nic->source == NULL && i < G_N_ELEMENTS(names); i++)
        nic->source = nest_element_get(source, names[i]);
    nic->bridge = nest_element_get(source, "bridge");
    nic->mode = nest_element_get(source, "mode");
}

static void read_port(const xmlNode *interface, NestNic *nic)
{
    const xmlNode *port = nest_element_child(interface, "port");
    const xmlNode *virtual = nest_element_child(interface, "virtualport");
    g_autofree char *id =
        nest_element_get(nest_element_child(virtual, "parameters"), "interfaceid");
    nic->isolated = nest_element_has(port, "isolated", "yes");
    nic->ovs = nest_element_has(virtual, "type", "openvswitch");
    nic->managed = nic->ovs && id != NULL;
}

static NestNic *read_nic(const xmlNode *interface)
{
    NestNic *nic = g_new0(NestNic, 1);
    const xmlNode *mtu = nest_element_child(interface, "mtu");
    g_autofree char *size = nest_element_get(mtu, "size");
    guint64 bytes = 0;
    nic->type = nest_element_get(interface, "type");
    read_source(nest_element_child(interface, "source"), nic);
    read_port(interface, nic);
    nic->mac = nest_element_get(nest_element_child(interface, "mac"), "address");
    nic->target = nest_element_get(nest_element_child(interface, "target"), "dev");
    nic->filter = nest_element_get(nest_element_child(interface, "filterref"), "filter");
    nic->model = nest_element_get(nest_element_child(interface, "model"), "type");
    if (size != NULL && g_ascii_string_to_unsigned(size, 10, 1, G_MAXUINT16, &bytes, NULL))
        nic->mtu = bytes;
    if (nic->mode == NULL && g_strcmp0(nic->type, "direct") == 0)
        nic->mode = g_strdup("vepa");
    return nic;
}

GPtrArray *nest_nic_read_all(const NestDocument *document)
{
    GPtrArray *nics = g_ptr_array_new_with_free_func((GDestroyNotify)nest_nic_free);
    const xmlNode *devices = nest_element_child(document->root, "devices");
    for (const xmlNode *interface = nest_element_child(devices, "interface"); interface != NULL;
         interface = nest_element_next(interface, "interface"))
        g_ptr_array_add(nics, read_nic(interface));
    return nics;
}
