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

/* The chains of the hook forward: "2 filter FORWARD", with the family in front. */
typedef struct {
    GHashTable *all;
    char *drops; /* one with the policy drop, */
    char *rules; /* and one with rules; without the family */
} Chains;

/* Takes the head off a message of this type about IPv4, and names the chain that it is about. */
static char *chain_of(const struct nlmsghdr *header, guint type, const guint8 **payload,
    gsize *length, guint table_type, guint chain_type)
{
    const gsize head = NLMSG_ALIGN(sizeof(struct nfgenmsg));
    NestAttribute table, chain;
    if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | type) || *length < head)
        return NULL;
    guint8 family = **payload;
    *payload += head;
    *length -= head;
    if ((family != NFPROTO_IPV4 && family != NFPROTO_INET) ||
        !nest_netlink_find(*payload, *length, table_type, &table) ||
        !nest_netlink_find(*payload, *length, chain_type, &chain))
        return NULL;
    g_autofree char *table_name = nest_netlink_text(&table);
    g_autofree char *chain_name = nest_netlink_text(&chain);
    return g_strdup_printf("%u %s %s", family, table_name != NULL ? table_name : "?",
        chain_name != NULL ? chain_name : "?");
}

static char *without_family(const char *chain)
{
    return g_strdup(strchr(chain, ' ') + 1);
}

static void read_chain(
    const struct nlmsghdr *header, const guint8 *payload, gsize length, gpointer user_data)
{
    Chains *chains = user_data;
    NestAttribute hook, policy;
    g_autofree char *chain =
        chain_of(header, NFT_MSG_NEWCHAIN, &payload, &length, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME);
    if (chain == NULL || !nest_netlink_find(payload, length, NFTA_CHAIN_HOOK, &hook) ||
        !is_forward(&hook))
        return;
    if (chains->drops == NULL && nest_netlink_find(payload, length, NFTA_CHAIN_POLICY, &policy) &&
        policy.length >= 4 && nest_netlink_u32(&policy) == htonl(NF_DROP))
        chains->drops = without_family(chain);
    g_hash_table_add(chains->all, g_steal_pointer(&chain));
}

static void read_rule(
    const struct nlmsghdr *header, const guint8 *payload, gsize length, gpointer user_data)
{
    Chains *chains = user_data;
    if (chains->rules != NULL)
        return;
    g_autofree char *chain =
        chain_of(header, NFT_MSG_NEWRULE, &payload, &length, NFTA_RULE_TABLE, NFTA_RULE_CHAIN);
    if (chain != NULL && g_hash_table_contains(chains->all, chain))
        chains->rules = without_family(chain);
}

static gboolean dump(guint type, NestNetlinkHandler handler, Chains *chains, char **ret_why)
{
    struct {
        struct nlmsghdr header;
        struct nfgenmsg message;
    } request = {
        .header.nlmsg_type = (guint16)(NFNL_SUBSYS_NFTABLES << 8 | type),
        .message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
    };
    return nest_netlink_dump(
        NETLINK_NETFILTER, &request.header, sizeof request, handler, chains, ret_why);
}

/* A policy says for sure; rules are not understood, and may drop or reject what they like. */
static void read_chains(NestForwarding *forwarding)
{
    Chains chains = {.all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    gboolean read = dump(NFT_MSG_GETCHAIN, read_chain, &chains, &forwarding->why);
    if (read && chains.drops == NULL && g_hash_table_size(chains.all) > 0)
        read = dump(NFT_MSG_GETRULE, read_rule, &chains, &forwarding->why);
    if (chains.drops != NULL) {
        forwarding->drops = NEST_FLAG_ON;
        forwarding->chain = g_steal_pointer(&chains.drops);
        g_clear_pointer(&forwarding->why, g_free);
    } else if (chains.rules != NULL) {
        g_free(forwarding->why);
        forwarding->why = g_strdup_printf("the chain \"%s\" has rules", chains.rules);
    } else if (read) {
        forwarding->drops = NEST_FLAG_OFF;
    }
    g_free(chains.rules);
    g_hash_table_unref(chains.all);
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
