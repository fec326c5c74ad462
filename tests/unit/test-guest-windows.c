/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-windows.h"
#include "nest-test.h"
#include <string.h>

static void test_quoted(void **state)
{
    static const struct {
        const char *words[4];
        const char *line;
    } rows[] = {
        {{"a", "b"}, "a b"},
        {{""}, "\"\""},
        {{"a b", "c"}, "\"a b\" c"},
        {{"a\\b"}, "a\\b"},
        {{"a\\"}, "a\\"},
        {{"a b\\"}, "\"a b\\\\\""},
        {{"\""}, "\"\\\"\""},
        {{"a\\\"b"}, "\"a\\\\\\\"b\""},
        {{"a\\b c"}, "\"a\\b c\""},
        {{"%PATH%", "&"}, "%PATH% &"},
        {{NULL}, ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *line = nest_guest_windows_quote(rows[i].words);
        assert_string_equal(line, rows[i].line);
    }
}

static char *script_in(char **words)
{
    gsize length = 0;
    assert_string_equal(words[0], "powershell.exe");
    assert_string_equal(words[4], "-EncodedCommand");
    g_autofree guchar *data = g_base64_decode(words[5], &length);
    return g_utf16_to_utf8(
        (const gunichar2 *)(gpointer)data, (glong)(length / 2), NULL, NULL, NULL);
}

static char *script_of(const NestExecWish *wish)
{
    g_auto(GStrv) words = nest_guest_windows_begin("C:\\Windows\\Temp\\x", wish, NULL);
    return script_in(words);
}

/* Nothing of others is in a script but as base64. */
static void test_script(void **state)
{
    char *command[] = {(char *)"'; calc #", (char *)"$(calc)", NULL};
    char *env[] = {(char *)"';calc=`calc", NULL};
    const NestExecWish wish = {.command = command, .env = env, .cwd = (char *)"calc'"};
    g_autofree char *script = script_of(&wish);
    assert_null(strstr(script, "calc"));
    assert_non_null(strstr(script, "Start-Process @m"));
    assert_null(strstr(script, "OpenStandardInput"));
}

/* Nor in what is done with files; and the longest path has room on the command line. */
static void test_files(void **state)
{
    g_autofree char *folder = g_strnfill(900, 'f');
    g_autofree char *part = g_strdup_printf("C:\\%s\\.nestd-1", folder);
    g_autofree char *path = g_strdup_printf("C:\\%s\\';calc", folder);
    GStrv commands[] = {nest_guest_windows_prepare(part, path, 5),
        nest_guest_windows_finish(part, path, NULL, 5, "abc"), nest_guest_windows_sum(path, 5),
        nest_guest_windows_clear(path)};
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(GStrv) words = commands[i];
        g_autofree char *script = script_in(words);
        assert_null(strstr(script, "calc"));
        assert_true(strlen(words[5]) < 32000);
    }
}

static void test_refused(void **state)
{
    static const char *const names[] = {"a.bat", "C:\\x.CMD"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        char *command[] = {(char *)names[i], NULL};
        NestExecWish wish = {.command = command};
        assert_null(nest_guest_windows_begin("C:\\x", &wish, &error));
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "batch");
        wish.shell = TRUE;
        g_auto(GStrv) words = nest_guest_windows_begin("C:\\x", &wish, NULL);
        assert_non_null(words);
    }
}

static void test_temp(void **state)
{
    static const char *const bad[] = {
        "", "C:", "/tmp", "%SystemRoot%", "C:\\a b", "C:\\\"", "C:/x", "\\\\a\\b", "C:\\x\ny"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(nest_guest_windows_temp(bad[i]));
    g_autofree char *temp = nest_guest_windows_temp("C:\\Windows\r\n");
    assert_string_equal(temp, "C:\\Windows\\Temp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_temp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
