/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record.h"
#include "nest-test.h"
#include "nest-verdicts.h"

/* What changed between two readings of checks. */

static GPtrArray *checks_of(const char *ids, const char *letters)
{
    static const char order[] = "pi-uwf";
    GPtrArray *checks = g_ptr_array_new_with_free_func((GDestroyNotify)nest_check_free);
    for (guint i = 0; ids[i] != '\0'; i++) {
        NestCheck *check = nest_record_new(&nest_check_record);
        check->id = g_strdup_printf("vm.%c", ids[i]);
        check->title = g_strdup("title");
        check->message = g_strdup_printf("Message of %c.", ids[i]);
        if (letters[i] == 'x')
            check->ignored = g_strdup("because");
        else
            check->verdict = strchr(order, letters[i]) - order;
        g_ptr_array_add(checks, check);
    }
    return checks;
}

static void test_letters(void **state)
{
    g_autoptr(GPtrArray) checks = checks_of("abcdefg", "pi-uwfx");
    g_autofree char *letters = nest_verdicts_letters(checks);
    assert_string_equal(letters, "pi-uwfx");
}

/* Checks come and go with versions of nestd: each is compared with itself. */
static void test_align(void **state)
{
    g_autoptr(GPtrArray) old = checks_of("cab", "wpf");
    g_autoptr(GPtrArray) now = checks_of("abde", "pppp");
    g_autofree char *letters = nest_verdicts_align(old, now);
    assert_string_equal(letters, "pf  ");
    g_autofree char *text = nest_verdicts_to_text(old, "wpf");
    assert_string_equal(text, "vm.c w\nvm.a p\nvm.b f\n");
    g_autofree char *back = nest_verdicts_from_text(text, now);
    assert_string_equal(back, "pf  ");
    g_autofree char *junk = nest_verdicts_from_text("\n \nvm.a\nvm.b \n", now);
    assert_string_equal(junk, "    ");
}

static void test_changes(void **state)
{
    static const struct {
        const char *before, *after;
        guint changes;
    } rows[] = {
        {"pppp", "pppp", 0},
        {"p", "f", 1},
        {"f", "p", 1},
        {"w", "f", 1},
        {"u", "p", 1},
        {"p", "u", 1},
        {"p", "i", 0},
        {"-", "p", 0},
        {"-", "w", 1},
        {" ", "f", 0},
        {"x", "f", 0},
        {"f", "x", 0},
        {"pfp", "fpp", 2},
        {"", "f", 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GArray) changes = nest_verdicts_changes(rows[i].before, rows[i].after);
        print_message("# row %u\n", i);
        assert_int_equal(changes->len, rows[i].changes);
    }
}

static void test_event(void **state)
{
    g_autoptr(GPtrArray) checks = checks_of("a", "f");
    g_autoptr(NestEvent) event =
        nest_verdicts_event("u1", "DemoVM", 'p', g_ptr_array_index(checks, 0));
    assert_string_equal(event->kind, "check-changed");
    assert_string_equal(event->uuid, "u1");
    assert_string_equal(event->message, "DemoVM: vm.a went from pass to fail: Message of a.");
    g_autoptr(NestEvent) nameless =
        nest_verdicts_event(NULL, NULL, 'u', g_ptr_array_index(checks, 0));
    assert_string_equal(nameless->message, "vm.a went from unknown to fail: Message of a.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_align),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
