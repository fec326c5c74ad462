/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-links-kernel.h"
#include "nest-error.h"
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

static NestFlag switch_of(gboolean on)
{
    return on ? NEST_FLAG_ON : NEST_FLAG_OFF;
}

/* ---- what the device is ---- */

static void read_bridge(const NestAttribute *info, NestLink *link)
{
    NestAttribute attribute;
    if (nest_netlink_find(info->data, info->length, IFLA_BR_NF_CALL_IPTABLES, &attribute))
        link->calls_firewall = switch_of(nest_netlink_u8(&attribute));
    if (nest_netlink_find(info->data, info->length, IFLA_BR_STP_STATE, &attribute))
        link->stp = switch_of(nest_netlink_u32(&attribute));
}

static void read_macvtap(const NestAttribute *info, NestLink *link)
{
    static const struct {
        guint32 mode;
        const char *name;
    } modes[] = {{MACVLAN_MODE_PRIVATE, "private"}, {MACVLAN_MODE_VEPA, "vepa"},
        {MACVLAN_MODE_BRIDGE, "bridge"}, {MACVLAN_MODE_PASSTHRU, "passthrough"}};
    NestAttribute attribute;
    if (!nest_netlink_find(info->data, info->length, IFLA_MACVLAN_MODE, &attribute))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        if (modes[i].mode == nest_netlink_u32(&attribute))
            link->mode = g_strdup(modes[i].name);
}

static void read_port(const NestAttribute *info, NestLink *link)
{
    const struct {
        guint type;
        NestFlag *state;
    } flags[] = {
        {IFLA_BRPORT_LEARNING, &link->learning},
        {IFLA_BRPORT_UNICAST_FLOOD, &link->flood},
        {IFLA_BRPORT_ISOLATED, &link->isolated},
        {IFLA_BRPORT_GUARD, &link->guard},
        {IFLA_BRPORT_LOCKED, &link->locked},
    };
    NestAttribute attribute;
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        if (nest_netlink_find(info->data, info->length, flags[i].type, &attribute))
            *flags[i].state = switch_of(nest_netlink_u8(&attribute));
}

static void read_info(const NestAttribute *info, NestLink *link)
{
    NestAttribute attribute, data;
    g_autofree char *master = NULL;
    if (nest_netlink_find(info->data, info->length, IFLA_INFO_KIND, &attribute))
        link->kind = nest_netlink_text(&attribute);
    if (nest_netlink_find(info->data, info->length, IFLA_INFO_DATA, &data)) {
        if (g_strcmp0(link->kind, "bridge") == 0)
            read_bridge(&data, link);
        if (g_strcmp0(link->kind, "macvtap") == 0)
            read_macvtap(&data, link);
    }
    if (nest_netlink_find(info->data, info->length, IFLA_INFO_SLAVE_KIND, &attribute))
        master = nest_netlink_text(&attribute);
    link->port = g_strcmp0(master, "bridge") == 0;
    if (link->port && nest_netlink_find(info->data, info->length, IFLA_INFO_SLAVE_DATA, &data))
        read_port(&data, link);
}

/* ---- virtual functions ---- */

/* Drivers that do not know leave it at ~0. */
static NestFlag setting_of(const NestAttribute *attribute)
{
    guint32 setting[2] = {0, G_MAXUINT32};
    if (attribute->length >= sizeof setting)
        memcpy(setting, attribute->data, sizeof setting);
    return setting[1] == G_MAXUINT32 ? NEST_FLAG_UNKNOWN : switch_of(setting[1]);
}

static void read_vf(const NestAttribute *info, GArray *vfs)
{
    NestAttribute attribute;
    NestVf vf = {0};
    if (!nest_netlink_find(info->data, info->length, IFLA_VF_MAC, &attribute) ||
        attribute.length < sizeof(struct ifla_vf_mac))
        return;
    struct ifla_vf_mac mac;
    memcpy(&mac, attribute.data, sizeof mac);
    vf.number = mac.vf;
    memcpy(vf.mac, mac.mac, sizeof vf.mac);
    if (nest_netlink_find(info->data, info->length, IFLA_VF_SPOOFCHK, &attribute))
        vf.spoofchk = setting_of(&attribute);
    if (nest_netlink_find(info->data, info->length, IFLA_VF_TRUST, &attribute))
        vf.trust = setting_of(&attribute);
    g_array_append_val(vfs, vf);
}

static void read_vfs(const NestAttribute *list, NestLink *link)
{
    const guint8 *bytes = list->data;
    gsize length = list->length;
    NestAttribute info;
    link->vfs = g_array_new(FALSE, FALSE, sizeof(NestVf));
    while (nest_netlink_next(&bytes, &length, &info))
        if (info.type == IFLA_VF_INFO)
            read_vf(&info, link->vfs);
}

/* ---- the device ---- */

static void read_attribute(const NestAttribute *attribute, NestLink *link, gboolean *elsewhere)
{
    switch (attribute->type) {
    case IFLA_IFNAME:
        g_free(link->name);
        link->name = nest_netlink_text(attribute);
        break;
    case IFLA_MTU:
        link->mtu = nest_netlink_u32(attribute);
        break;
    case IFLA_MASTER:
        link->master = nest_netlink_u32(attribute);
        break;
    case IFLA_LINK:
        link->lower = nest_netlink_u32(attribute);
        break;
    case IFLA_LINK_NETNSID:
        *elsewhere = TRUE;
        break;
    case IFLA_LINKINFO:
        if (link->kind == NULL)
            read_info(attribute, link);
        break;
    case IFLA_VFINFO_LIST:
        if (link->vfs == NULL)
            read_vfs(attribute, link);
        break;
    default:
        break;
    }
}

void nest_links_read_message(
    const struct nlmsghdr *header, const guint8 *payload, gsize length, gpointer user_data)
{
    GPtrArray *devices = user_data;
    struct ifinfomsg info;
    NestAttribute attribute;
    gboolean elsewhere = FALSE;
    if (header->nlmsg_type != RTM_NEWLINK || length < sizeof info || devices->len >= NEST_LINKS_MAX)
        return;
    memcpy(&info, payload, sizeof info);
    payload += NLMSG_ALIGN(sizeof info);
    length -= MIN(NLMSG_ALIGN(sizeof info), length);
    NestLink *link = g_new0(NestLink, 1);
    link->index = (guint)info.ifi_index;
    link->promiscuous = switch_of((info.ifi_flags & IFF_PROMISC) != 0);
    while (nest_netlink_next(&payload, &length, &attribute))
        read_attribute(&attribute, link, &elsewhere);
    if (elsewhere || link->lower == link->index)
        link->lower = 0;
    if (link->name != NULL)
        g_ptr_array_add(devices, link);
    else
        nest_link_free(link);
}

NestLinks *nest_links_ask_kernel(GError **error)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
        struct rtattr attribute;
        guint32 filter;
    } request = {
        .header.nlmsg_type = RTM_GETLINK,
        .info.ifi_family = AF_UNSPEC,
        .attribute = {RTA_LENGTH(sizeof(guint32)), IFLA_EXT_MASK},
        .filter = RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS,
    };
    g_autofree char *why = NULL;
    g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func((GDestroyNotify)nest_link_free);
    if (nest_netlink_dump(
            NETLINK_ROUTE, &request.header, sizeof request, nest_links_read_message, devices, &why))
        return nest_links_new(g_steal_pointer(&devices));
    nest_set_error(
        error, NEST_ERROR_INTERNAL, NULL, "the kernel does not list the network: %s", why);
    return NULL;
}
