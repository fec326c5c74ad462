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
        cmocka_unit_test(test_huge_tree),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_not_a_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
