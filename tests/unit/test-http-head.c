/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-head.h"
#include "nest-test.h"
#include <string.h>

#define BODY_MAX 1000

static gboolean read_text(const char *text, NestHead *head, GError **error)
{
    gsize scanned = 0, length = 0;
    if (!nest_head_find(text, strlen(text), &scanned, &length, error))
        return FALSE;
    assert_true(length > 0);
    return nest_head_parse(text, length, BODY_MAX, head, error);
}

static void test_good(void **state)
{
    g_autoptr(GError) error = NULL;
    NestHead head = {0};
    assert_true(read_text("PUT /v1/vms/a%20b/state?x=1?2 HTTP/1.1\r\nhost:\r\nContent-Length: 1000 "
                          "\r\nIF-MATCH:\t\"r\"\r\nContent-Type: application/json\r\n"
                          "Connection: keep-alive, Close\r\nExpect: 100-continue\r\n"
                          "Range: bytes=0-1\r\nX: \xc3\xa4\r\n\r\n",
        &head, &error));
    assert_no_error(error);
    assert_string_equal(head.method, "PUT");
    assert_string_equal(head.path, "/v1/vms/a%20b/state");
    assert_string_equal(head.query, "x=1?2");
    assert_string_equal(head.if_match, "\"r\"");
    assert_string_equal(head.content_type, "application/json");
    assert_int_equal(head.length, 1000);
    assert_true(head.close);
    assert_true(head.expect_continue);
    assert_false(head.http10);
    nest_head_clear(&head);
}

static void test_http10(void **state)
{
    g_autoptr(GError) error = NULL;
    NestHead head = {0};
    assert_true(read_text("GET / HTTP/1.0\r\n\r\n", &head, &error));
    assert_true(head.http10 && head.close);
    assert_null(head.query);
    nest_head_clear(&head);
}

static const struct {
    const char *text;
    NestErrorCode code;
    const char *says;
} bad[] = {
    {"GET / HTTP/1.1\n\n", NEST_ERROR_INVALID_REQUEST, "without CR"},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", NEST_ERROR_INVALID_REQUEST, "without CR"},
    {"GET / HTTP/1.1\r\nHo\rst: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "CR inside"},
    {"GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "control"},
    {"GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "control"},
    {"GET / HTTP/1.1\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "no Host"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "two Host"},
    {"GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "no valid name"},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "no valid name"},
    {"GET / HTTP/1.1\r\n: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "no valid name"},
    {"GET / HTTP/1.1\r\nHost\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "no valid name"},
    {"GET  HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "must be a path"},
    {"GET HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "first line"},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "only HTTP"},
    {"GET / HTTP/1.12\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "only HTTP"},
    {"GET / http/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "only HTTP"},
    {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "invalid character"},
    {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "invalid character"},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "invalid char"},
    {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "must be a path"},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "must be a path"},
    {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "method"},
    {"AAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "method"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", NEST_ERROR_TOO_LARGE, "1000"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", NEST_ERROR_TOO_LARGE,
        "1000"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        NEST_ERROR_TOO_LARGE, "1000"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", NEST_ERROR_INVALID_REQUEST,
        "not a number"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", NEST_ERROR_INVALID_REQUEST,
        "not a number"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", NEST_ERROR_INVALID_REQUEST,
        "not a number"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", NEST_ERROR_INVALID_REQUEST,
        "not a number"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        NEST_ERROR_INVALID_REQUEST, "two Content-Length"},
    {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", NEST_ERROR_LENGTH_REQUIRED,
        "Transfer-Encoding"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: identity\r\n\r\n",
        NEST_ERROR_LENGTH_REQUIRED, "Transfer-Encoding"},
    {"P / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\r\n", NEST_ERROR_UNSUPPORTED_MEDIA,
        "Content-Encoding"},
    {"P / HTTP/1.1\r\nHost: a\r\nExpect: gold\r\n\r\n", NEST_ERROR_INVALID_REQUEST, "Expect"},
    {"P / HTTP/1.1\r\nHost: a\r\nIf-Match: a\r\nif-match: b\r\n\r\n", NEST_ERROR_INVALID_REQUEST,
        "two If-Match"},
};

static void test_bad(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        NestHead head = {0};
        if (read_text(bad[i].text, &head, &error))
            fail_msg("accepted: %s", bad[i].text);
        assert_nest_error(error, bad[i].code, bad[i].says);
        assert_null(head.method);
    }
}

static void test_too_many_headers(void **state)
{
    GString *text = g_string_new("GET / HTTP/1.1\r\nHost: a\r\n");
    for (guint i = 0; i < 100; i++)
        g_string_append(text, "a: b\r\n");
    g_string_append(text, "\r\n");
    g_autofree char *many = g_string_free(text, FALSE);
    g_autoptr(GError) error = NULL;
    NestHead head = {0};
    assert_false(read_text(many, &head, &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "too many headers");
}

/* However the bytes are cut, the same end is found, and no byte is looked at twice. */
static void test_pieces(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    for (gsize cut = 0; cut < sizeof text - 1; cut++) {
        gsize scanned = 0, length = 0;
        assert_true(nest_head_find(text, cut, &scanned, &length, NULL));
        if (length == 0)
            assert_int_equal(scanned, cut);
        if (length == 0)
            assert_true(nest_head_find(text, sizeof text - 1, &scanned, &length, NULL));
        assert_int_equal(length, sizeof text - 1 - 4);
    }
}

static void test_nul(void **state)
{
    gsize scanned = 0, length = 0;
    g_autoptr(GError) error = NULL;
    assert_false(nest_head_find("GET \0/", 6, &scanned, &length, &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "control");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_http10),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_many_headers),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
