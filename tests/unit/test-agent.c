/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said to an agent, and what is made of its answers, which anybody in the guest may write.
 */
#include "nest-agent-exec.h"
#include "nest-agent.h"
#include "nest-guest-shell.h"
#include "nest-record.h"
#include "nest-test.h"
#include <string.h>

#define TEXT(text, ...) \
    { \
        g_autofree char *asked = __VA_ARGS__; \
        assert_string_equal(asked, text); \
    }

static void test_questions(void **state)
{
    const char *const words[] = {"-c", "\"\\\n", NULL};
    g_autoptr(GBytes) piece = g_bytes_new_static("\0x", 2);
    TEXT("{\"execute\":\"guest-ping\"}", nest_agent_ask("guest-ping"));
    TEXT("{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"sh\",\"arg\":[\"-c\","
         "\"\\\"\\\\\\n\"],"
         "\"capture-output\":true}}",
        nest_agent_exec_ask("sh", words, NULL));
    TEXT("{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"sh\",\"arg\":[],"
         "\"capture-output\":true,\"input-data\":\"YQ==\"}}",
        nest_agent_exec_ask("sh", words + 2, "YQ=="));
    TEXT("{\"execute\":\"guest-file-open\",\"arguments\":{\"path\":\"/a\\\"b\",\"mode\":\"r+\"}}",
        nest_agent_exec_ask_open("/a\"b", "r+"));
    TEXT("{\"execute\":\"guest-file-write\",\"arguments\":{\"handle\":7,\"buf-b64\":\"AHg=\"}}",
        nest_agent_exec_ask_write(7, piece));
    TEXT("{\"execute\":\"guest-file-seek\",\"arguments\":{\"handle\":7,\"offset\":8589934592,"
         "\"whence\":\"set\"}}",
        nest_agent_exec_ask_seek(7, G_GUINT64_CONSTANT(8) << 30, "set"));
}

static void test_base64(void **state)
{
    static const char *const good[] = {"", "YQ==", "YWI=", "YWJj", "+/+/"};
    static const char *const bad[] = {
        "Y", "YQ", "YQ=", "=", "====", "Y===", "YQ==YQ==", "YW!j", "YWJ\xff", "YWJj\n", "Y Q=="};
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(nest_agent_exec_is_base64(good[i]));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        if (nest_agent_exec_is_base64(bad[i]))
            fail_msg("%s is no base64", bad[i]);
}

static void test_status(void **state)
{
    static const struct {
        const char *answer;
        gboolean exited;
        gint64 status;
        guint signal;
    } rows[] = {
        {"{\"return\": {\"exited\": false}}", FALSE, 0, 0},
        {"{\"return\": {\"exited\": true, \"exitcode\": 3, \"new\": 1}}", TRUE, 3, 0},
        {"{\"return\": {\"exited\": true, \"signal\": 9}}", TRUE, 0, 9},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        NestAgentStatus status = {0};
        assert_true(nest_agent_exec_read_status(rows[i].answer, &status, NULL));
        assert_int_equal(status.exited, rows[i].exited);
        assert_int_equal(status.status, rows[i].status);
        assert_int_equal(status.signal, rows[i].signal);
        assert_null(status.said);
    }
    NestAgentStatus status = {0};
    assert_true(nest_agent_exec_read_status(
        "{\"return\": {\"exited\": true, \"err-data\": \"/2E=\"}}", &status, NULL));
    assert_string_equal(status.said, "\xef\xbf\xbd\x61");
    g_free(status.said);
}

/* Refused with GUEST_AGENT by all who read them. */
static void test_garbage(void **state)
{
    static const char *const answers[] = {"", "x", "{}", "[]", "{\"return\": null}",
        "{\"return\": []}", "{\"return\": \"1\"}", "{\"return\": {}}", "{\"return\": {\"pid\": 0}}",
        "{\"return\": {\"pid\": -1, \"count\": -1, \"exited\": 1, \"position\": -1}}",
        "{\"return\": {\"count\": 3, \"buf-b64\": \"YQ==\", \"eof\": true}}",
        "{\"return\": {\"count\": 99, \"buf-b64\": \"?\", \"eof\": true}}",
        "{\"return\": {\"exited\": true, \"signal\": -1}}", "{\"return\": {\"version\": 1}}",
        "{\"return\": {\"count\": 18446744073709551616}}", "{\"return\": {\"pid\": 1}"};
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        GError *errors[7] = {NULL};
        g_autoptr(NestGuest) guest = nest_record_new(&nest_guest_record);
        GBytes *piece = NULL;
        gint64 number;
        guint64 place;
        gsize written;
        gboolean end;
        NestAgentStatus status = {0};
        assert_false(nest_agent_exec_read(answers[i], &number, &errors[0]));
        assert_false(nest_agent_exec_read_status(answers[i], &status, &errors[1]));
        assert_false(nest_agent_exec_read_open(answers[i], &number, &errors[2]));
        assert_false(nest_agent_exec_read_chunk(answers[i], 2, &piece, &end, &errors[3]));
        assert_false(nest_agent_exec_read_written(answers[i], 2, &written, &errors[4]));
        assert_false(nest_agent_exec_read_place(answers[i], &place, &errors[5]));
        assert_false(nest_agent_read_info(answers[i], guest, &errors[6]));
        for (guint e = 0; e < G_N_ELEMENTS(errors); e++) {
            assert_nest_error(errors[e], NEST_ERROR_GUEST_AGENT, "can't be understood");
            g_clear_error(&errors[e]);
        }
    }
}

static void test_families(void **state)
{
    static const struct {
        const char *answer;
        NestGuestFamily family;
    } rows[] = {
        {"{\"return\": {\"id\": \"mswindows\", \"kernel-release\": \"1\"}}",
            NEST_GUEST_FAMILY_WINDOWS},
        {"{\"return\": {\"id\": \"debian\", \"kernel-release\": \"6\"}}", NEST_GUEST_FAMILY_LINUX},
        {"{\"return\": {\"id\": \"freebsd\", \"kernel-release\": \"6\"}}", NEST_GUEST_FAMILY_OTHER},
        {"{\"return\": {\"kernel-release\": \"6\"}}", NEST_GUEST_FAMILY_LINUX},
        {"{\"return\": {}}", NEST_GUEST_FAMILY_UNKNOWN},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NestGuest) guest = nest_record_new(&nest_guest_record);
        assert_true(nest_agent_read_os(rows[i].answer, guest, NULL));
        assert_int_equal(guest->family, rows[i].family);
    }
}

static void test_paths(void **state)
{
    static const char *const bad[] = {"", "a", "a/b", "/", "/a/", "./a", "C:a", "C:\\", "C:\\a\\",
        "C:\\a/", "C:\\a:b", "\\\\server\\a", "1:\\a"};
    static const char *const good[][2] = {{"/a", "/.nestd-1"}, {"/a/b", "/a/.nestd-1"},
        {"/a\\b", "/.nestd-1"}, {"C:\\a", "C:\\.nestd-1"}, {"c:\\a\\b c", "c:\\a\\.nestd-1"},
        {"c:/a/b", "c:/a/.nestd-1"}, {"c:\\a/b", "c:\\a/.nestd-1"}};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(nest_guest_shell_check_path(bad[i], &error));
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "begins with /");
    }
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        assert_true(nest_guest_shell_check_path(good[i][0], NULL));
        TEXT(good[i][1], nest_guest_shell_part(good[i][0], "1"));
    }
}

static void test_finished(void **state)
{
    static const char *const bad[] = {"", "sha256", "md5 644", "size rw", "size 999999", NULL};
    g_autoptr(NestFile) file = nest_record_new(&nest_file_record);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(nest_guest_shell_read_finished(bad[i], file));
    assert_true(nest_guest_shell_read_finished("sha256 4755\n", file));
    assert_int_equal(file->verified, NEST_VERIFIED_SHA256);
    assert_string_equal(file->mode, "4755");
    assert_true(nest_guest_shell_read_finished("sha256 -\n", file));
    assert_null(file->mode);
}

#define SUM "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_compared(void **state)
{
    static const struct {
        const char *printed;
        gboolean same;
        NestVerified verified;
    } rows[] = {
        {NULL, TRUE, NEST_VERIFIED_NONE},
        {"", TRUE, NEST_VERIFIED_NONE},
        {"x 644 -\n", TRUE, NEST_VERIFIED_NONE},
        {"0 444 -\n", TRUE, NEST_VERIFIED_NONE},
        {"3 644 -\n", TRUE, NEST_VERIFIED_SIZE},
        {"4 644 -\n", TRUE, NEST_VERIFIED_SIZE},
        {"2 644 -\n", FALSE, NEST_VERIFIED_NONE},
        {"3 644 " SUM "\n", TRUE, NEST_VERIFIED_SHA256},
        {"9 644 " SUM "\n", TRUE, NEST_VERIFIED_SHA256},
        {"2 644 " SUM "\n", FALSE, NEST_VERIFIED_NONE},
        {"3 644 00" SUM "\n", TRUE, NEST_VERIFIED_SIZE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NestFile) file = nest_record_new(&nest_file_record);
        file->path = g_strdup("/a");
        file->size = 3;
        file->sha256 = g_strdup(SUM);
        assert_int_equal(nest_guest_shell_compare(rows[i].printed, file, &error), rows[i].same);
        if (rows[i].same)
            assert_int_equal(file->verified, rows[i].verified);
        else
            assert_nest_error(error, NEST_ERROR_NOT_VERIFIED, "changed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_finished),
        cmocka_unit_test(test_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
