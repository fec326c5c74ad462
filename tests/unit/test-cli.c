/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test.h"

#include "nest-commands.h"
#include "nest-plan-view.h"
#include "nest-prompt.h"
#include "nest-quantity.h"
#include "nest-remote.h"
#include "nest-text.h"
#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        guint64 bytes;
    } rows[] = {{"512", 512 * MIB}, {"512M", 512 * MIB}, {"512MiB", 512 * MIB}, {"4G", 4 * GIB},
        {"4g", 4 * GIB}, {"4gib", 4 * GIB}, {"2T", 2048 * GIB}, {"64K", 64 * 1024}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        guint64 bytes = 0;
        assert_true(nest_quantity_parse_size(rows[i].text, &bytes, &error));
        assert_no_error(error);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void test_sizes_refused(void **state)
{
    static const char *const rows[] = {"", "0", "0G", "-1", "+1", " 1", "1 G", "G", "4GB", "4MB",
        "1.5G", "1e3", "0x10", "9007199254740992K", "99999999999999999999", "8192T", "4G4", "4GG"};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        guint64 bytes = 7;
        assert_false(nest_quantity_parse_size(rows[i], &bytes, &error));
        assert_nest_error(error, NEST_ERROR_USAGE, "is no size");
        assert_int_equal(bytes, 7);
    }
}

static void test_memory(void **state)
{
    static const struct {
        const char *text;
        guint64 min_kib, max_kib;
    } rows[] = {{"4G", 0, 4 << 20}, {"1G-4G", 1 << 20, 4 << 20}, {"1-4G", 1 << 20, 4 << 20},
        {"512-1024", 512 << 10, 1 << 20}, {"512M-4G", 512 << 10, 4 << 20}, {"4G-4G", 0, 4 << 20},
        {"1-4GiB", 1 << 20, 4 << 20}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        guint64 min = 0, max = 0;
        assert_true(nest_quantity_parse_memory(rows[i].text, &min, &max, &error));
        assert_int_equal(min, rows[i].min_kib);
        assert_int_equal(max, rows[i].max_kib);
    }
    static const char *const refused[] = {"4G-1G", "-4G", "4G-", "1-2-3", "G-4G", "1G–4G"};
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        guint64 min = 7, max = 7;
        assert_false(nest_quantity_parse_memory(refused[i], &min, &max, &error));
        assert_nest_error(error, NEST_ERROR_USAGE, "");
        assert_int_equal(min + max, 14);
    }
}

static void test_safe_text(void **state)
{
    static const struct {
        const char *text, *unicode, *ascii;
    } rows[] = {{"plain", "plain", "plain"}, {"a\033[1mb", "a\\x1b[1mb", "a\\x1b[1mb"},
        {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f", "a\\x0ab\\x09c\\x7f"},
        {"\xe2\x80\xae", "\\u{202e}", "\\u{202e}"}, {"\xc2\x9b", "\\u{9b}", "\\u{9b}"},
        {"\xff", "\\xff", "\\xff"}, {"\xe2\x80", "\\xe2\\x80", "\\xe2\\x80"}, {"é", "é", "\\u{e9}"},
        {"1–4 → ✓", "1–4 → ✓", "1-4 -> ok"}, {"\xc2\xa0", "\\u{a0}", "\\u{a0}"},
        {"\xef\xbb\xbf", "\\u{feff}", "\\u{feff}"}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *unicode = nest_text_safe(rows[i].text, TRUE);
        g_autofree char *ascii = nest_text_safe(rows[i].text, FALSE);
        assert_string_equal(unicode, rows[i].unicode);
        assert_string_equal(ascii, rows[i].ascii);
    }
}

static void test_widths(void **state)
{
    g_autofree char *cut = nest_text_cut("日本語", 5, TRUE);
    g_autofree char *ascii = nest_text_cut("abcdef", 4, FALSE);
    g_autofree char *whole = nest_text_cut("abcd", 4, TRUE);
    assert_int_equal(nest_text_width("日本"), 4);
    assert_int_equal(nest_text_width("e\u0301"), 1);
    assert_string_equal(cut, "日本…");
    assert_string_equal(ascii, "abc~");
    assert_string_equal(whole, "abcd");
}

static void test_numbers_for_people(void **state)
{
    g_autofree char *gib = nest_text_memory_range(0, 4 << 20);
    g_autofree char *range = nest_text_memory_range(1 << 20, 4 << 20);
    g_autofree char *mixed = nest_text_memory_range(512 << 10, 3 << 19);
    g_autofree char *seconds = nest_text_duration(4230);
    g_autofree char *minutes = nest_text_duration(185000);
    g_autofree char *hours = nest_text_duration(7800000);
    g_autofree char *never = nest_text_time(0);
    assert_string_equal(gib, "4 GiB");
    assert_string_equal(range, "1–4 GiB");
    assert_string_equal(mixed, "512 MiB–1.5 GiB");
    assert_string_equal(seconds, "4.2 s");
    assert_string_equal(minutes, "3 min 5 s");
    assert_string_equal(hours, "2 h 10 min");
    assert_string_equal(never, "–");
}

static void test_answers(void **state)
{
    g_autoptr(GArray) numbers = NULL;
    assert_int_equal(nest_prompt_parse("Y", 3, &numbers), NEST_ANSWER_YES);
    assert_int_equal(nest_prompt_parse("yEs", 3, &numbers), NEST_ANSWER_YES);
    assert_int_equal(nest_prompt_parse("No", 3, &numbers), NEST_ANSWER_NO);
    for (const char *const *text = (const char *const[]){"", ",", "4", "0", "-1", "1x", "y 1", "yy",
             "99999999999999999999", NULL};
         *text != NULL; text++)
        assert_int_equal(nest_prompt_parse(*text, 3, &numbers), NEST_ANSWER_OTHER);
    assert_int_equal(nest_prompt_parse("1", 0, &numbers), NEST_ANSWER_OTHER);
    assert_null(numbers);
    assert_int_equal(nest_prompt_parse("1, 3", 3, &numbers), NEST_ANSWER_NUMBERS);
    assert_int_equal(numbers->len, 2);
    assert_int_equal(g_array_index(numbers, guint, 1), 3);
}

static NestPlan *make_plan(const char *const *ids)
{
    NestPlan *plan = nest_plan_new();
    plan->uuid = g_strdup("u");
    for (; *ids != NULL; ids++) {
        NestPlanItem *item = g_new0(NestPlanItem, 1);
        item->id = g_strdup(*ids);
        item->optional = **ids == 'o';
        g_ptr_array_add(plan->items, item);
    }
    return plan;
}

static void test_plans(void **state)
{
    g_autoptr(NestPlan) shown = make_plan((const char *const[]){"a", "o1", "b", "o2", NULL});
    g_autoptr(NestPlan) less = make_plan((const char *const[]){"a", "b", "o2", NULL});
    const char *const one[] = {"o1", NULL}, *const both[] = {"o1", "o2", NULL};
    assert_string_equal(nest_plan_view_item(shown, 1)->id, "b");
    assert_string_equal(nest_plan_view_item(shown, 2)->id, "o1");
    assert_null(nest_plan_view_item(shown, 4));
    assert_true(nest_plan_view_same(shown, NULL, shown));
    assert_true(nest_plan_view_same(shown, one, less));
    assert_false(nest_plan_view_same(shown, NULL, less));
    assert_false(nest_plan_view_same(shown, both, less));
    NestPlanItem *item = g_ptr_array_index(less->items, 0);
    item->target = g_strdup("something else");
    assert_false(nest_plan_view_same(shown, one, less));
}

static void test_remote(void **state)
{
    const char *words[] = {"/usr/bin/nestctl", "--host", "me@there", "show", "--json", "it's",
        "--host=x", "--", "--host", "b", NULL};
    g_auto(GStrv) command = nest_remote_command("me@there", (GStrv)words, TRUE, TRUE);
    assert_string_equal(command[1], "-t");
    assert_string_equal(command[2], "--");
    assert_string_equal(command[3], "me@there");
    assert_string_equal(command[4], "nestctl 'show' '--json' 'it'\\''s' '--' '--host' 'b'");
    assert_null(command[5]);
    const char *alias[] = {"/bin/Enable-NestedVm", "-VmName", "X", NULL};
    g_auto(GStrv) other = nest_remote_command("h", (GStrv)alias, FALSE, FALSE);
    assert_string_equal(other[1], "-T");
    assert_string_equal(other[4], "nestctl --no-color Enable-NestedVm '-VmName' 'X'");
}

/* What help, completion and the man page rest on. */
static void test_table(void **state)
{
    for (const NestCommand *command = nest_commands; command->verb != NULL; command++) {
        assert_ptr_equal(nest_commands_find(command->verb), command);
        assert_true(command->min <= command->max);
        assert_non_null(command->run);
        assert_null(strchr(command->summary, ';'));
        for (const NestOption *o = command->options; o != NULL && o->name != NULL; o++) {
            assert_non_null(o->help);
            assert_true(o->offset < sizeof(NestArguments));
            for (const NestOption *g = nest_global_options; g->name != NULL; g++)
                assert_string_not_equal(o->name, g->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sizes_refused), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_safe_text), cmocka_unit_test(test_widths),
        cmocka_unit_test(test_numbers_for_people), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_plans), cmocka_unit_test(test_remote), cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
