/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-net.h"
#include "nest-test.h"

#define RULE(action, direction, match) \
    "<rule action='" action "' direction='" direction "'>" match "</rule>"
#define INCLUDE(name) "<filterref filter='" name "'/>"
#define OWN_MAC RULE("return", "out", "<mac srcmacaddr='$MAC'/>")
#define THE_REST RULE("drop", "out", "<mac/>")

/* What the filter "first" of each set does. A set is one string: "name: content", one a line. */
static const struct {
    const char *set;
    NestFilterAnswer answer;
    gboolean blocks_ip;
    const char *path;
} trees[] = {
    {"first: ", NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " OWN_MAC THE_REST, NEST_FILTER_BLOCKS, FALSE, "first"},
    {"first: " OWN_MAC, NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " THE_REST, NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " RULE("drop", "out", "<mac match='no' srcmacaddr='$MAC'/>"), NEST_FILTER_BLOCKS,
        FALSE, "first"},
    {"first: " RULE("drop", "inout", "<arp match='no' arpsrcmacaddr='$MAC'/>"), NEST_FILTER_BLOCKS,
        FALSE, "first"},
    {"first: " RULE("reject", "in", "<mac match='no' dstmacaddr='52:54:00:00:00:01'/>"),
        NEST_FILTER_BLOCKS, FALSE, "first"},
    {"first: " RULE("drop", "out", "<mac match='no' dstmacaddr='$MAC'/>"), NEST_FILTER_PASSES,
        FALSE, NULL},
    {"first: " RULE("drop", "out", "<mac dstmacaddr='ff:ff:ff:ff:ff:ff'/>"), NEST_FILTER_PASSES,
        FALSE, NULL},
    {"first: " RULE("continue", "out", "<mac srcmacaddr='$MAC'/>") THE_REST, NEST_FILTER_PASSES,
        FALSE, NULL},
    /* What is accepted one way and dropped the other way makes no whole. */
    {"first: " OWN_MAC RULE("drop", "in", ""), NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " RULE("accept", "in", "<mac dstmacaddr='$MAC'/>") RULE("drop", "in", ""),
        NEST_FILTER_BLOCKS, FALSE, "first"},
    {"first: " RULE("accept", "in", "<mac dstmacaddr='01:00:5e:00:00:00'/>") RULE("drop", "in", ""),
        NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " RULE("accept", "out", "<rarp srcmacaddr='$MAC'/>") RULE("drop", "inout", ""),
        NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " RULE("return", "out", "<ip srcipaddr='0.0.0.0'/>")
            RULE("return", "out", "<ip srcipaddr='$IP'/>") RULE("drop", "out", ""),
        NEST_FILTER_PASSES, TRUE, NULL},
    {"first: " INCLUDE("a") "\na: " INCLUDE("b") "\nb: " OWN_MAC THE_REST, NEST_FILTER_BLOCKS,
        FALSE, "first > a > b"},
    {"first: " INCLUDE("a") INCLUDE("b") "\na: " OWN_MAC "\nb: " THE_REST, NEST_FILTER_UNKNOWN,
        FALSE, "first"},
    {"first: " INCLUDE("gone"), NEST_FILTER_UNKNOWN, FALSE, "first > gone"},
    {"first: " INCLUDE("gone") INCLUDE("clean-traffic"), NEST_FILTER_BLOCKS, TRUE,
        "first > clean-traffic"},
    {"first: " INCLUDE("allow-dhcp"), NEST_FILTER_PASSES, FALSE, NULL},
    /* What drops frames of one kind, or of some addresses, does not drop the rest. */
    {"first: " OWN_MAC RULE("drop", "out", "<mac protocolid='ipv4'/>"), NEST_FILTER_UNKNOWN, FALSE,
        "first"},
    {"first: " INCLUDE("a") OWN_MAC "\na: " RULE("drop", "inout", "<mac protocolid='ipv4'/>"),
        NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " RULE("drop", "out", "<mac protocolid='ipv4'/>"), NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " OWN_MAC RULE("drop", "in", "<mac protocolid='ipv4'/>"), NEST_FILTER_PASSES, FALSE,
        NULL},
    {"first: " OWN_MAC RULE("drop", "out", "<mac match='no' protocolid='ipv4'/>"),
        NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " OWN_MAC RULE("drop", "out", "<stp/>"), NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " OWN_MAC RULE("drop", "out", "<ipv6/>"), NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " OWN_MAC RULE("drop", "inout", "<vlan/>"), NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " RULE("drop", "out", "<stp/>"), NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " OWN_MAC RULE("drop", "out", "<all comment='the rest'/>"), NEST_FILTER_BLOCKS, FALSE,
        "first"},
    {"first: " OWN_MAC RULE("drop", "out", "<all/>"), NEST_FILTER_BLOCKS, FALSE, "first"},
    /* A mask makes a range of an address. */
    {"first: " RULE("return", "out",
         "<mac srcmacaddr='52:54:00:00:00:00' srcmacmask='"
         "ff:ff:ff:00:00:00'/>") THE_REST,
        NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " OWN_MAC RULE("accept", "out",
         "<ip srcmacaddr='02:aa:00:00:00:00' srcmacmask='"
         "ff:ff:00:00:00:00'/>") THE_REST,
        NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " RULE("drop", "out",
         "<mac match='no' srcmacaddr='52:54:00:00:00:00' srcmacmask='"
         "ff:ff:ff:00:00:00'/>"),
        NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " RULE("drop", "in",
         "<mac dstmacaddr='02:aa:00:00:00:00' dstmacmask='"
         "ff:ff:00:00:00:00'/>"),
        NEST_FILTER_UNKNOWN, FALSE, "first"},
    {"first: " RULE("return", "out",
         "<mac srcmacaddr='52:54:00:00:00:00' srcmacmask='"
         "ff:ff:ff:00:00:00'/>"),
        NEST_FILTER_PASSES, FALSE, NULL},
    /* circles */
    {"first: " INCLUDE("first"), NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " INCLUDE("a") "\na: " INCLUDE("b") "\nb: " INCLUDE("a") INCLUDE("first"),
        NEST_FILTER_PASSES, FALSE, NULL},
    {"first: " INCLUDE("a") "\na: " INCLUDE("first") INCLUDE("b") "\nb: " OWN_MAC THE_REST,
        NEST_FILTER_BLOCKS, FALSE, "first > a > b"},
};

static NestNetDefinitions *read_set(const char *set)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(set, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char *content = strstr(lines[i], ": ");
        *content = '\0';
        g_ptr_array_add(
            texts, g_strdup_printf("<filter name='%s'>%s</filter>", lines[i], content + 2));
    }
    return nest_net_definitions_new(texts);
}

static void test_trees(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(trees); i++) {
        g_autoptr(NestNetDefinitions) definitions = read_set(trees[i].set);
        NestFilterVerdict verdict;
        nest_nwfilter_judge(definitions->filters, "first", &verdict);
        if (verdict.answer != trees[i].answer || verdict.blocks_ip != trees[i].blocks_ip ||
            g_strcmp0(verdict.path, trees[i].path) != 0)
            fail_msg("%s: %d %d %s", trees[i].set, verdict.answer, verdict.blocks_ip, verdict.path);
        assert_true((verdict.answer == NEST_FILTER_UNKNOWN) == (verdict.why != NULL));
        nest_filter_verdict_clear(&verdict);
    }
}

/* libvirt's own, as it brings them along. */
#define SHIPPED \
    "allow-arp: " RULE("accept", "inout", "") "\nallow-dhcp: " RULE("accept", "out", \
        "<ip srcipaddr='0.0.0.0' dstipaddr='255.255.255.255' protocol='udp' srcportstart='68' " \
        "dstportstart='67'/>") RULE("accept", "in", \
        "<ip protocol='udp' srcportstart='67' " \
        "dstportstart='68'/>") "\nallow-incoming-ipv4: " RULE("accept", "in", \
        "") "\nno-mac-spoofing: " RULE("return", "out", "<mac srcmacaddr='$MAC'/>") RULE("drop", \
        "out", "<mac/>") "\nno-mac-broadcast: " RULE("drop", "out", \
        "<mac dstmacaddr='ff:ff:ff:ff:ff:ff'/>") "\nno-ip-multicast: " RULE("drop", "out", \
        "<ip dstipaddr='224.0.0.0' dstipmask='4'/>") "\nno-ipv6-multicast: " RULE("drop", "out", \
        "<ipv6 dstipaddr='ff00::' dstipmask='8'/>") "\nno-ip-spoofing: " RULE("return", "out", \
        "<ip srcipaddr='0.0.0.0' protocol='udp'/>") RULE("return", "out", \
        "<ip srcipaddr='$IP'/>") RULE("drop", "out", "") "\nno-arp-ip-spoofing: " RULE("return", \
        "out", "<arp arpsrcipaddr='$IP'/>") RULE("drop", "out", \
        "") "\nno-arp-mac-spoofing: " RULE("return", "out", "<arp arpsrcmacaddr='$MAC'/>") \
        RULE("drop", "out", "") "\nno-arp-spoofing: " INCLUDE("no-arp-mac-spoofing") INCLUDE( \
            "no-arp-ip-spoofing") "\nno-other-l2-traffic: " RULE("drop", "inout", \
            "") "\nno-other-rarp-traffic: " RULE("drop", "inout", \
            "") "\nqemu-announce-self-rarp: " RULE("accept", "out", \
            "<rarp opcode='Request_Reverse' srcmacaddr='$MAC' dstmacaddr='ff:ff:ff:ff:ff:ff' " \
            "arpsrcmacaddr='$MAC' arpdstmacaddr='$MAC' arpsrcipaddr='0.0.0.0'/>") RULE("accept", \
            "in", \
            "<rarp opcode='Reply_Reverse' dstmacaddr='$MAC'/>") "\nqemu-announce-self: " RULE("ac" \
                                                                                              "ce" \
                                                                                              "p" \
                                                                                              "t", \
            "out", "<mac protocolid='0x835'/>") INCLUDE("qemu-announce-self-rarp") \
            INCLUDE("no-other-rarp-traffic") "\nclean-traffic: " INCLUDE("no-mac-spoofing") \
                INCLUDE("no-ip-spoofing") RULE("accept", "out", "<mac protocolid='ipv4'/>") \
                    INCLUDE("allow-incoming-ipv4") INCLUDE("no-arp-spoofing") \
                        RULE("accept", "inout", "<mac protocolid='arp'/>") \
                            INCLUDE("no-other-l2-traffic") INCLUDE("qemu-announce-self")

/* Judged by what is in them they are what they are by their names. */
static void test_shipped(void **state)
{
    static const char *const passing[] = {"allow-arp", "allow-dhcp", "allow-incoming-ipv4",
        "no-mac-broadcast", "no-ip-multicast", "no-ipv6-multicast", "no-ip-spoofing",
        "no-arp-ip-spoofing", "no-other-l2-traffic", "no-other-rarp-traffic",
        "qemu-announce-self-rarp", "qemu-announce-self"};
    static const char *const blocking[] = {
        "no-mac-spoofing", "no-arp-mac-spoofing", "no-arp-spoofing", "clean-traffic"};
    g_autoptr(NestNetDefinitions) definitions = read_set(SHIPPED);
    for (guint i = 0; i < G_N_ELEMENTS(passing) + G_N_ELEMENTS(blocking); i++) {
        gboolean passes = i < G_N_ELEMENTS(passing);
        const char *name = passes ? passing[i] : blocking[i - G_N_ELEMENTS(passing)];
        NestFilterVerdict read, named;
        nest_nwfilter_judge(definitions->filters, name, &read);
        nest_nwfilter_judge(NULL, name, &named);
        if (read.answer != (passes ? NEST_FILTER_PASSES : NEST_FILTER_BLOCKS) ||
            named.answer != read.answer || named.blocks_ip != read.blocks_ip)
            fail_msg("%s: %d %d, by its name %d %d", name, read.answer, read.blocks_ip,
                named.answer, named.blocks_ip);
        nest_filter_verdict_clear(&read);
        nest_filter_verdict_clear(&named);
    }
}

static void test_huge_tree(void **state)
{
    g_autoptr(GString) set = g_string_new("first: " INCLUDE("f0"));
    for (guint i = 0; i < NEST_NWFILTER_TREE_MAX + 10; i++)
        g_string_append_printf(set, "\nf%u: " INCLUDE("f%u"), i, i + 1);
    g_autoptr(NestNetDefinitions) definitions = read_set(set->str);
    NestFilterVerdict verdict;
    nest_nwfilter_judge(definitions->filters, "first", &verdict);
    assert_int_equal(verdict.answer, NEST_FILTER_UNKNOWN);
    nest_filter_verdict_clear(&verdict);
}

/* Without definitions libvirt's own are known by their names. */
static void test_names(void **state)
{
    static const struct {
        const char *name;
        NestFilterAnswer answer;
        gboolean blocks_ip;
    } rows[] = {
        {NULL, NEST_FILTER_PASSES, FALSE},
        {"clean-traffic", NEST_FILTER_BLOCKS, TRUE},
        {"no-mac-spoofing", NEST_FILTER_BLOCKS, FALSE},
        {"no-ip-spoofing", NEST_FILTER_PASSES, TRUE},
        {"allow-arp", NEST_FILTER_PASSES, FALSE},
        {"our-own", NEST_FILTER_UNKNOWN, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        NestFilterVerdict verdict;
        nest_nwfilter_judge(NULL, rows[i].name, &verdict);
        if (verdict.answer != rows[i].answer || verdict.blocks_ip != rows[i].blocks_ip)
            fail_msg("%s", rows[i].name);
        nest_filter_verdict_clear(&verdict);
    }
}

static void test_not_a_filter(void **state)
{
    static const char *const texts[] = {"", "<filter", "<domain type='kvm'/>",
        "<!DOCTYPE filter [<!ENTITY a 'b'>]><filter name='&a;'/>", "<network/>"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(nest_nwfilter_read(texts[i], &error));
        assert_non_null(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_huge_tree),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_not_a_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
