/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-forwarding.h"
#include "nest-host-file.h"
#include "nest-netlink.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

void nest_forwarding_clear(NestForwarding *forwarding)
{
    g_free(forwarding->chain);
    g_free(forwarding->why);
    *forwarding = (NestForwarding){0};
}

static gboolean is_forward(const NestAttribute *hook)
{
    NestAttribute number;
    return nest_netlink_find(hook->data, hook->length, NFTA_HOOK_HOOKNUM, &number) &&
        ntohl(nest_netlink_u32(&number)) == NF_INET_FORWARD;
}

static void read_chain(
    const struct nlmsghdr *header, const guint8 *payload, gsize length, gpointer user_data)
{
    NestForwarding *forwarding = user_data;
    const int new_chain = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN;
    const gsize head = NLMSG_ALIGN(sizeof(struct nfgenmsg));
    NestAttribute hook, policy, table, name;
    if (header->nlmsg_type != new_chain || length < head || forwarding->chain != NULL)
        return;
    guint8 family = payload[0];
    payload += head;
    length -= head;
    if ((family != NFPROTO_IPV4 && family != NFPROTO_INET) ||
        !nest_netlink_find(payload, length, NFTA_CHAIN_HOOK, &hook) || !is_forward(&hook) ||
        !nest_netlink_find(payload, length, NFTA_CHAIN_POLICY, &policy) || policy.length < 4 ||
        nest_netlink_u32(&policy) != htonl(NF_DROP) ||
        !nest_netlink_find(payload, length, NFTA_CHAIN_TABLE, &table) ||
        !nest_netlink_find(payload, length, NFTA_CHAIN_NAME, &name))
        return;
    g_autofree char *table_name = nest_netlink_text(&table);
    g_autofree char *chain_name = nest_netlink_text(&name);
    forwarding->chain = g_strdup_printf(
        "%s %s", table_name != NULL ? table_name : "?", chain_name != NULL ? chain_name : "?");
}

static void read_chains(NestForwarding *forwarding)
{
    struct {
        struct nlmsghdr header;
        struct nfgenmsg message;
    } request = {
        .header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
        .message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
    };
    g_autofree char *why = NULL;
    gboolean read = nest_netlink_dump(
        NETLINK_NETFILTER, &request.header, sizeof request, read_chain, forwarding, &why);
    if (forwarding->chain != NULL)
        forwarding->drops = NEST_FLAG_ON;
    else if (read)
        forwarding->drops = NEST_FLAG_OFF;
    else
        forwarding->why = g_steal_pointer(&why);
}

/* The names of iptables' own tables, which the list of chains does not show. */
static gboolean has_old_tables(const char *root)
{
    g_autofree char *names =
        nest_host_file_text(root, "proc/net/ip_tables_names", NEST_HOST_FILE_MAX, NULL);
    return names != NULL && strstr(names, "filter") != NULL;
}

void nest_forwarding_read(const char *root, NestForwarding *ret_forwarding)
{
    const char *path = "proc/sys/net/bridge/bridge-nf-call-iptables";
    NestForwarding forwarding = {0};
    g_autofree char *calls = nest_host_file_line(root, path, NULL);
    if (calls != NULL)
        forwarding.calls = strcmp(calls, "0") == 0 ? NEST_FLAG_OFF : NEST_FLAG_ON;
    else if (!nest_host_file_exists(root, path))
        forwarding.calls = NEST_FLAG_OFF; /* br_netfilter is not there */
    if (forwarding.calls == NEST_FLAG_ON && strcmp(root, "/") == 0)
        read_chains(&forwarding);
    if (forwarding.drops == NEST_FLAG_OFF && has_old_tables(root)) {
        forwarding.drops = NEST_FLAG_UNKNOWN;
        forwarding.why = g_strdup("the tables of the older iptables are not read");
    }
    if (forwarding.drops == NEST_FLAG_UNKNOWN && forwarding.why == NULL)
        forwarding.why = g_strdup("the firewall of a recorded host is not known");
    *ret_forwarding = forwarding;
}
