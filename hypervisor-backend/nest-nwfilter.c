/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-nwfilter.h"
#include "nest-document.h"
#include "nest-domain-xml.h"
#include <string.h>

#define ACCEPTS_IP (1u << 16) /* only within one filter */

void nest_nwfilter_free(NestNwfilter *filter)
{
    if (filter == NULL)
        return;
    g_free(filter->name);
    g_ptr_array_unref(filter->includes);
    g_free(filter);
}

void nest_filter_verdict_clear(NestFilterVerdict *verdict)
{
    g_free(verdict->path);
    g_free(verdict->why);
    *verdict = (NestFilterVerdict){0};
}

/* ---- reading ---- */

/* A variable, or the address of one machine: not a multicast one. */
static gboolean is_one_machine(const char *mac)
{
    return mac[0] == '$' ||
        (g_ascii_isxdigit(mac[0]) && g_ascii_isxdigit(mac[1]) &&
            g_ascii_xdigit_value(mac[1]) % 2 == 0);
}

/* One of two attributes names an address. */
static gboolean names(const xmlNode *match, const char *first, const char *second)
{
    const char *const attributes[] = {first, second};
    for (guint i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *value = nest_element_get(match, attributes[i]);
        if (value != NULL && is_one_machine(value))
            return TRUE;
    }
    return FALSE;
}

static gboolean names_ip(const xmlNode *match)
{
    g_autofree char *ip = nest_element_get(match, "srcipaddr");
    g_autofree char *arp = nest_element_get(match, "arpsrcipaddr");
    const char *address = ip != NULL ? ip : arp;
    return address != NULL && address[0] == '$';
}

/* A rule without a way to match, or with <mac/> or <all/> that says no more, is about every frame;
 * <stp/> and the like are about their kind. */
static gboolean is_all(const xmlNode *match)
{
    if (match == NULL)
        return TRUE;
    for (const xmlAttr *attribute = match->properties; attribute != NULL;
         attribute = attribute->next)
        if (!xmlStrEqual(attribute->name, BAD_CAST "comment"))
            return FALSE;
    return nest_element_is(match, "mac") || nest_element_is(match, "all");
}

typedef enum { OTHER_ACTION, ACCEPTS, DROPS } Action;

/* What a rule with one way to match (NULL: none) adds to its filter. out: it is about what the VM
 * sends. */
static guint judge_match(const xmlNode *match, Action action, gboolean out)
{
    const guint shift = out ? 0 : NEST_NWFILTER_IN;
    if (is_all(match))
        return action == DROPS ? NEST_NWFILTER_DROPS_REST << shift : 0;
    gboolean inverted = nest_element_has(match, "match", "no");
    gboolean rarp = nest_element_is(match, "rarp"); /* only announces the VM itself */
    gboolean named = !rarp &&
        (out ? names(match, "srcmacaddr", "arpsrcmacaddr")
             : names(match, "dstmacaddr", "arpdstmacaddr"));
    gboolean ip = out && names_ip(match);
    g_autofree char *mask = nest_element_get(match, out ? "srcmacmask" : "dstmacmask");
    gboolean mac = named && mask == NULL;
    guint range = named && mask != NULL ? NEST_NWFILTER_RANGE << shift : 0;
    if (action == DROPS && inverted && range == 0 && (mac || ip))
        return (mac ? NEST_NWFILTER_DROPS_MAC : 0) | (ip ? NEST_NWFILTER_DROPS_IP : 0);
    if (action == DROPS)
        return range | NEST_NWFILTER_DROPS_SOME << shift;
    if (action != ACCEPTS || inverted)
        return 0;
    guint accepts = mac ? NEST_NWFILTER_ACCEPTS_MAC << shift : 0;
    return range | accepts | (ip ? ACCEPTS_IP : 0);
}

static Action action_of(const xmlNode *rule)
{
    g_autofree char *action = nest_element_get(rule, "action");
    if (g_strcmp0(action, "drop") == 0 || g_strcmp0(action, "reject") == 0)
        return DROPS;
    return g_strcmp0(action, "accept") == 0 || g_strcmp0(action, "return") == 0 ? ACCEPTS
                                                                                : OTHER_ACTION;
}

static guint judge_rule(const xmlNode *rule)
{
    g_autofree char *direction = nest_element_get(rule, "direction");
    Action action = action_of(rule);
    const xmlNode *match = nest_element_child(rule, NULL);
    guint rules = 0;
    do {
        if (g_strcmp0(direction, "in") != 0)
            rules |= judge_match(match, action, TRUE);
        if (g_strcmp0(direction, "out") != 0)
            rules |= judge_match(match, action, FALSE);
        match = match != NULL ? nest_element_next(match, NULL) : NULL;
    } while (match != NULL);
    return rules;
}

/* TRUE if both halves are there, of one direction. */
static gboolean has_halves(guint rules, guint one, guint other)
{
    const guint out = one | other, in = out << NEST_NWFILTER_IN;
    return (rules & out) == out || (rules & in) == in;
}

static gboolean has_range(guint rules)
{
    return has_halves(rules, NEST_NWFILTER_RANGE, NEST_NWFILTER_DROPS_REST) ||
        has_halves(rules, NEST_NWFILTER_RANGE, NEST_NWFILTER_DROPS_SOME);
}

/* Both halves in one filter make a whole. */
static guint join_halves(guint rules)
{
    const guint ip = ACCEPTS_IP | NEST_NWFILTER_DROPS_REST;
    if (!has_range(rules) && has_halves(rules, NEST_NWFILTER_ACCEPTS_MAC, NEST_NWFILTER_DROPS_REST))
        rules |= NEST_NWFILTER_DROPS_MAC;
    if ((rules & ip) == ip)
        rules |= NEST_NWFILTER_DROPS_IP;
    return rules & ~ACCEPTS_IP;
}

NestNwfilter *nest_nwfilter_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nest_document_parse_other(xml, "filter", error);
    if (doc == NULL)
        return NULL;
    NestNwfilter *filter = g_new0(NestNwfilter, 1);
    const xmlNode *root = xmlDocGetRootElement(doc);
    filter->name = nest_element_get(root, "name");
    filter->includes = g_ptr_array_new_with_free_func(g_free);
    for (const xmlNode *node = nest_element_child(root, NULL); node != NULL;
         node = nest_element_next(node, NULL)) {
        if (nest_element_is(node, "rule"))
            filter->rules |= judge_rule(node);
        char *include =
            nest_element_is(node, "filterref") ? nest_element_get(node, "filter") : NULL;
        if (include != NULL)
            g_ptr_array_add(filter->includes, include);
    }
    filter->rules = join_halves(filter->rules);
    return filter;
}

/* ---- judging ---- */

/* A filter of the tree and the one that includes it. */
typedef struct {
    const char *name;
    guint parent; /* index; its own for the first */
} Node;

typedef struct {
    GHashTable *filters;
    GArray *nodes; /* Node, in the order in which they were met */
    GHashTable *met;
    guint rules; /* of all */
} Walk;

static char *path_to(const GArray *nodes, guint index)
{
    GString *path = g_string_new(NULL);
    for (;;) {
        const Node *node = &g_array_index(nodes, Node, index);
        g_string_prepend(path, node->name);
        if (node->parent == index)
            return g_string_free(path, FALSE);
        g_string_prepend(path, " > ");
        index = node->parent;
    }
}

static void meet(Walk *walk, const char *name, guint parent)
{
    if (!g_hash_table_add(walk->met, (gpointer)name))
        return;
    Node node = {name, parent};
    g_array_append_val(walk->nodes, node);
}

/* Filters of libvirt's own that leave the MAC addresses of inner VMs alone. */
static gboolean is_harmless(const char *filter)
{
    static const char *const harmless[] = {"allow-arp", "allow-dhcp", "allow-dhcp-server",
        "allow-dhcpv6", "allow-dhcpv6-server", "allow-incoming-ipv4", "allow-incoming-ipv6",
        "allow-ipv4", "allow-ipv6", "no-ip-multicast", "no-mac-broadcast", "no-ip-spoofing",
        "no-arp-ip-spoofing", "no-ipv6-multicast", "no-ipv6-spoofing", "no-other-l2-traffic",
        "no-other-rarp-traffic", "qemu-announce-self", "qemu-announce-self-rarp", NULL};
    return g_strv_contains(harmless, filter);
}

static gboolean is_for_ip(const char *filter)
{
    static const char *const names_for_ip[] = {"no-ip-spoofing", "no-arp-ip-spoofing",
        "no-arp-spoofing", "clean-traffic", "clean-traffic-gateway", NULL};
    return g_strv_contains(names_for_ip, filter);
}

static void unknown(NestFilterVerdict *verdict, char *path, const char *why)
{
    if (verdict->answer != NEST_FILTER_PASSES) {
        g_free(path);
        return;
    }
    verdict->answer = NEST_FILTER_UNKNOWN;
    verdict->path = path;
    verdict->why = g_strdup(why);
}

/* The first one that blocks decides; what it is unknown for does not count any more. */
static void block(NestFilterVerdict *verdict, const Walk *walk, guint index)
{
    if (verdict->answer == NEST_FILTER_BLOCKS)
        return;
    g_clear_pointer(&verdict->path, g_free);
    g_clear_pointer(&verdict->why, g_free);
    verdict->answer = NEST_FILTER_BLOCKS;
    verdict->path = path_to(walk->nodes, index);
}

static void judge_by_name(NestFilterVerdict *verdict, const Walk *walk, guint index)
{
    const char *name = g_array_index(walk->nodes, Node, index).name;
    verdict->blocks_ip = verdict->blocks_ip || is_for_ip(name);
    if (nest_filter_blocks_foreign_macs(name))
        block(verdict, walk, index);
    else if (!is_harmless(name))
        unknown(verdict, path_to(walk->nodes, index), "what is in it could not be read");
}

static void judge_node(NestFilterVerdict *verdict, Walk *walk, guint index)
{
    const char *name = g_array_index(walk->nodes, Node, index).name;
    const NestNwfilter *filter =
        walk->filters != NULL ? g_hash_table_lookup(walk->filters, name) : NULL;
    if (filter == NULL) {
        judge_by_name(verdict, walk, index);
        return;
    }
    walk->rules |= filter->rules;
    verdict->blocks_ip = verdict->blocks_ip || (filter->rules & NEST_NWFILTER_DROPS_IP) != 0;
    if ((filter->rules & NEST_NWFILTER_DROPS_MAC) != 0)
        block(verdict, walk, index);
    for (guint i = 0; i < filter->includes->len; i++)
        meet(walk, g_ptr_array_index(filter->includes, i), index);
}

static void judge_tree(Walk *walk, NestFilterVerdict *verdict)
{
    for (guint i = 0; i < walk->nodes->len; i++) {
        if (i >= NEST_NWFILTER_TREE_MAX) {
            unknown(verdict, path_to(walk->nodes, 0), "it includes too many others");
            return;
        }
        judge_node(verdict, walk, i);
    }
    if (has_range(walk->rules))
        unknown(verdict, path_to(walk->nodes, 0), "it names MAC addresses by a mask");
    else if (has_halves(walk->rules, NEST_NWFILTER_ACCEPTS_MAC, NEST_NWFILTER_DROPS_REST))
        unknown(verdict, path_to(walk->nodes, 0),
            "it accepts its own MAC address in one place and drops all else in another");
    else if (has_halves(walk->rules, NEST_NWFILTER_ACCEPTS_MAC, NEST_NWFILTER_DROPS_SOME))
        unknown(verdict, path_to(walk->nodes, 0),
            "it accepts its own MAC address, and drops some kinds of frames from others");
}

void nest_nwfilter_judge(GHashTable *filters, const char *name, NestFilterVerdict *ret_verdict)
{
    *ret_verdict = (NestFilterVerdict){0};
    if (name == NULL)
        return;
    Walk walk = {filters, NULL, NULL, 0};
    walk.nodes = g_array_new(FALSE, FALSE, sizeof(Node));
    walk.met = g_hash_table_new(g_str_hash, g_str_equal);
    meet(&walk, name, 0);
    judge_tree(&walk, ret_verdict);
    g_hash_table_unref(walk.met);
    g_array_unref(walk.nodes);
}
