/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-guest-answers.h"
#include "nest-test.h"
#include <string.h>

/* What the scripts inside guests say, recorded and made up. */

static NestGuestFacts *recorded(const char *name, gboolean windows)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(g_getenv("NEST_TEST_DATA"), "guests", name, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    NestGuestFacts *facts = g_new0(NestGuestFacts, 1);
    assert_true(g_file_get_contents(path, &text, &length, NULL));
    gboolean good = windows ? nest_guest_answers_read_windows(text, length, facts, &error)
                            : nest_guest_answers_read_linux(text, length, facts, &error);
    if (!good)
        fail_msg("%s: %s", name, error->message);
    return facts;
}

static void test_debian_with_libvirt(void **state)
{
    g_autoptr(NestGuestFacts) facts = recorded("debian-libvirt.txt", FALSE);
    assert_int_equal(facts->cpu_flag, NEST_ANSWER_YES);
    assert_int_equal(facts->module, NEST_GUEST_MODULE_LOADED);
    assert_string_equal(facts->nested, "1");
    assert_int_equal(facts->kvm, NEST_GUEST_DEVICE_USABLE);
    assert_int_equal(facts->memory_kib, 3411220);
    assert_int_equal(facts->disk_kib, 16022872);
    assert_int_equal(facts->reboot_pending, NEST_ANSWER_NO);
    assert_int_equal(g_strv_length(facts->validate), 2);
    assert_int_equal(g_strv_length(facts->tcg_domains), 1);
    assert_string_equal(facts->tcg_domains[0], "old one");
    assert_int_equal(facts->libvirt, NEST_ANSWER_YES);
    assert_int_equal(facts->default_net, NEST_ANSWER_NO);
}

static void test_plain_guest(void **state)
{
    g_autoptr(NestGuestFacts) facts = recorded("plain.txt", FALSE);
    assert_int_equal(facts->cpu_flag, NEST_ANSWER_NO);
    assert_int_equal(facts->module, NEST_GUEST_MODULE_IDLE);
    assert_int_equal(facts->kvm, NEST_GUEST_DEVICE_ABSENT);
    assert_null(facts->validate);
    assert_null(facts->tcg_domains);
    assert_int_equal(facts->disk_kib, 0);
    assert_int_equal(facts->libvirt, NEST_ANSWER_NO);
    assert_int_equal(facts->default_net, NEST_ANSWER_UNREAD);
}

static void test_windows(void **state)
{
    g_autoptr(NestGuestFacts) facts = recorded("windows-11.json", TRUE);
    assert_int_equal(facts->build, 22631);
    assert_string_equal(facts->edition, "Professional");
    assert_int_equal(facts->hyperv, NEST_ANSWER_YES);
    assert_int_equal(facts->own_hypervisor, NEST_ANSWER_YES);
    assert_string_equal(facts->launch_type, "Auto");
    assert_int_equal(facts->vbs, NEST_ANSWER_NO);
    assert_int_equal(facts->event_124, NEST_ANSWER_UNREAD);
    assert_int_equal(facts->memory_kib, 2097152);
    assert_int_equal(facts->inner_vms, 2);
}

static void test_refused(void **state)
{
    static const char *const rows[] = {"", "nest-guest 1", "nest-guest 1\n",
        "nest-guest 2\nend=0\n", "end=0\n", "nest-guest 1\nend=0", "nest-guest 1\nend=1\n",
        "nest-guest 1\nkvm=usable\nend=2\n", "nest-guest 1\nkvm=perhaps\nend=1\n",
        "nest-guest 1\nkvm=unread\nend=1\n", "nest-guest 1\nkvm=usable\nkvm=denied\nend=2\n",
        "nest-guest 1\nagent=1\nend=1\n", "nest-guest 1\nmemory_kib=-1\nend=1\n",
        "nest-guest 1\nmemory_kib=1e9\nend=1\n",
        "nest-guest 1\nmemory_kib=99999999999999999999\nend=1\n", "nest-guest 1\nkvm\nend=1\n",
        "nest-guest 1\n=\nend=1\n", "nest-guest 1\n\nend=1\n", "nest-guest 1\nvalidate=x\nend=1\n",
        "nest-guest 1\nnested=1\nnested=1\nend=2\n", "nest-guest 1\nvalidate=\nvalidate=\nend=2\n"};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestGuestFacts) facts = g_new0(NestGuestFacts, 1);
        g_autoptr(GError) error = NULL;
        if (nest_guest_answers_read_linux(rows[i], strlen(rows[i]), facts, &error))
            fail_msg("row %u is read", i);
        assert_int_equal(nest_error_code(error), NEST_ERROR_GUEST_AGENT);
    }
}

static void test_windows_refused(void **state)
{
    static const char *const rows[] = {"", "{", "[]", "{\"build\":\"1\"}", "{\"build\":-1}",
        "{\"hyperv\":true}", "{\"hyperv\":\"maybe\"}", "{\"agent\":1}", "{\"edition\":1}",
        "{\"build\":1}{}"};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestGuestFacts) facts = g_new0(NestGuestFacts, 1);
        g_autoptr(GError) error = NULL;
        if (nest_guest_answers_read_windows(rows[i], strlen(rows[i]), facts, &error))
            fail_msg("row %u is read", i);
        assert_int_equal(nest_error_code(error), NEST_ERROR_GUEST_AGENT);
    }
}

static void test_much(void **state)
{
    g_autoptr(GString) text = g_string_new("nest-guest 1\nvalidate=\n");
    g_autoptr(NestGuestFacts) facts = g_new0(NestGuestFacts, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *value = g_strnfill(1000, 'x');
    for (guint i = 0; i < 20; i++)
        g_string_append_printf(text, "validate=\xff%s\n", value);
    g_autofree char *fine = g_strconcat(text->str, "end=21\n", NULL);
    assert_true(nest_guest_answers_read_linux(fine, strlen(fine), facts, &error));
    assert_int_equal(g_strv_length(facts->validate), 20);
    assert_int_equal(g_utf8_strlen(facts->validate[19], -1), 200);
    assert_true(g_utf8_validate(facts->validate[19], -1, NULL));
    g_autoptr(NestGuestFacts) more = g_new0(NestGuestFacts, 1);
    g_string_append(text, "validate=one too many\nend=22\n");
    assert_false(nest_guest_answers_read_linux(text->str, text->len, more, &error));
}

static void test_scripts(void **state)
{
    gsize length = 0;
    g_autofree char *encoded = nest_guest_answers_script_windows();
    g_autofree guchar *wide = g_base64_decode(encoded, &length);
    assert_true(g_str_has_prefix(nest_guest_answers_script_linux(), "#!/bin/sh\n"));
    assert_true(length > 1000 && length % 2 == 0 && wide[0] == '#' && wide[1] == 0);
    assert_true(strlen(encoded) < 30000); /* Windows' command lines end at 32767 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_debian_with_libvirt),
        cmocka_unit_test(test_plain_guest),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_windows_refused),
        cmocka_unit_test(test_much),
        cmocka_unit_test(test_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
