/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-admission.h"
#include "nest-etag.h"
#include "nest-router.h"
#include "nest-test.h"
#include <string.h>

static void test_every_route_is_found(void **state)
{
    for (guint i = 0; i < nest_n_routes; i++) {
        const NestRoute *route = &nest_routes[i];
        assert_true(route->right > NEST_RIGHT_NONE);
        assert_true(route->body == NULL || strcmp(route->method, "GET") != 0);
        g_auto(GStrv) parts = g_strsplit(route->pattern, "{vm}", -1);
        g_autofree char *path = g_strjoinv("a%2fb", parts);
        g_autofree char *allow = NULL;
        g_autoptr(GError) error = NULL;
        assert_ptr_equal(nest_router_find(route->method, path, &allow, &error), route);
        if (strcmp(route->method, "GET") == 0)
            assert_ptr_equal(nest_router_find("HEAD", path, &allow, &error), route);
    }
}

/* Whoever changes anything, sees files of a guest or runs commands in it, needs more than to look;
 * planning changes nothing. */
static void test_rights(void **state)
{
    for (guint i = 0; i < nest_n_routes; i++) {
        const NestRoute *route = &nest_routes[i];
        gboolean inside = g_str_has_suffix(route->pattern, "/file") ||
            strstr(route->pattern, "/guests") != NULL || strstr(route->pattern, "/guest/") != NULL;
        gboolean looks = (strcmp(route->method, "GET") == 0 && !inside) ||
            (g_str_has_suffix(route->pattern, "/plan") && !inside) ||
            strcmp(route->pattern, "/v1/guard") == 0;
        assert_int_equal(looks, route->right == NEST_RIGHT_VIEW);
    }
}

static void test_no_such_path(void **state)
{
    static const char *const paths[] = {"/", "/v1/", "//v1", "/v1//vms", "/v1/vms/", "/V1",
        "/v1/%76ms", "/v1/./vms", "/v1/x/../vms", "/v1/vms/a/", "/v1/vms/a/state/b", "/v2",
        "/v1/vms/a/nested/", "/v1/vms//nested", "/v1/openapi.json/"};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *allow = NULL;
        g_autoptr(GError) error = NULL;
        assert_null(nest_router_find("GET", paths[i], &allow, &error));
        assert_nest_error(error, NEST_ERROR_NO_SUCH_PATH, "no such path");
        assert_null(allow);
    }
}

static void test_method_not_allowed(void **state)
{
    static const struct {
        const char *method, *path, *allow;
    } rows[] = {
        {"PATCH", "/v1/vms", "GET, HEAD, POST"},
        {"get", "/v1/vms", "GET, HEAD, POST"},
        {"OPTIONS", "/v1", "GET, HEAD"},
        {"HEAD", "/v1/vms/a/state", "PUT"},
        {"PUT", "/v1/operations/1", "GET, HEAD, DELETE"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *allow = NULL;
        g_autoptr(GError) error = NULL;
        assert_null(nest_router_find(rows[i].method, rows[i].path, &allow, &error));
        assert_nest_error(error, NEST_ERROR_METHOD_NOT_ALLOWED, rows[i].allow);
        assert_string_equal(allow, rows[i].allow);
    }
}

/* Reads path and query as a request for method would. */
static gboolean read_request(
    const char *method, const char *path, const char *query, NestExchange *x, GError **error)
{
    g_autofree char *allow = NULL;
    memset(x, 0, sizeof *x);
    x->route = nest_router_find(method, path, &allow, error);
    assert_non_null(x->route);
    x->head.path = (char *)path;
    x->head.query = (char *)query;
    return nest_router_read(x, error);
}

static void test_vm_names(void **state)
{
    g_autofree char *longest = g_strnfill(255, 'a');
    g_autofree char *too_long = g_strnfill(256, 'a');
    const struct {
        const char *part, *name;
        NestErrorCode code;
    } rows[] = {
        {"DemoVM", "DemoVM", 0},
        {"zwei%20W%C3%B6rter", "zwei Wörter", 0},
        {"a+b", "a+b", 0},
        {"%2e%2e%2e", "...", 0},
        {longest, longest, 0},
        {too_long, NULL, NEST_ERROR_VM_NOT_FOUND},
        {"..", NULL, NEST_ERROR_VM_NOT_FOUND},
        {"%2e%2E", NULL, NEST_ERROR_VM_NOT_FOUND},
        {".", NULL, NEST_ERROR_VM_NOT_FOUND},
        {"a%2fb", NULL, NEST_ERROR_VM_NOT_FOUND},
        {"a%0ab", NULL, NEST_ERROR_VM_NOT_FOUND},
        {"a%1bb", NULL, NEST_ERROR_VM_NOT_FOUND},
        {"a%C2%85b", NULL, NEST_ERROR_VM_NOT_FOUND},
        {"a%00b", NULL, NEST_ERROR_INVALID_REQUEST},
        {"a%", NULL, NEST_ERROR_INVALID_REQUEST},
        {"a%zz", NULL, NEST_ERROR_INVALID_REQUEST},
        {"%ff", NULL, NEST_ERROR_INVALID_REQUEST},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/v1/vms/", rows[i].part, NULL);
        g_autoptr(GError) error = NULL;
        NestExchange x;
        gboolean ok = read_request("GET", path, NULL, &x, &error);
        assert_int_equal(ok, rows[i].name != NULL);
        if (ok)
            assert_string_equal(x.vm, rows[i].name);
        else
            assert_nest_error(error, rows[i].code, "");
        g_free(x.vm);
    }
}

static void test_ids(void **state)
{
    static const char *const bad[] = {"0", "-1", "+1", "a", "1a", "%31", "9223372036854775808"};
    NestExchange x;
    assert_true(read_request("GET", "/v1/operations/9223372036854775807", "wait=60", &x, NULL));
    assert_true(x.id == G_MAXINT64 && x.params[0] == 60);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = g_strconcat("/v1/operations/", bad[i], NULL);
        g_autoptr(GError) error = NULL;
        assert_false(read_request("GET", path, NULL, &x, &error));
        assert_nest_error(error, NEST_ERROR_OPERATION_NOT_FOUND, "numbered");
    }
}

static void test_query(void **state)
{
    NestExchange x;
    assert_true(read_request("GET", "/v1/operations", NULL, &x, NULL));
    assert_true(x.params[0] == 50 && x.params[1] == 0);
    assert_true(read_request("GET", "/v1/operations", "", &x, NULL));
    assert_true(read_request("GET", "/v1/operations", "before=7&limit=1000", &x, NULL));
    assert_true(x.params[0] == 1000 && x.params[1] == 7);
    assert_true(read_request("GET", "/v1/events", "after=-1&follow=0", &x, NULL));
    static const char *const bad[] = {"limit", "limit=", "limit=0", "limit=1001", "limit=1&limit=1",
        "x=1", "limit=1&", "&", "limit=%31", "limit=1;before=2", "limit= 1", "limit=0x1", "=1",
        "limit=1&before=1&x=1&y=1"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(read_request("GET", "/v1/operations", bad[i], &x, &error));
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "query parameter");
    }
}

static void test_etag(void **state)
{
    g_autofree char *one = nest_etag_make("r", "{\"a\":1}");
    g_autofree char *two = nest_etag_make("r", "{\"a\":2}");
    assert_string_not_equal(one, two);
    static const struct {
        const char *header, *revision;
        gboolean ok;
    } rows[] = {{NULL, NULL, TRUE}, {"*", NULL, TRUE}, {"\"r\"", "r", TRUE},
        {"\"r+12ab\"", "r", TRUE}, {"\"\"", NULL, FALSE}, {"r", NULL, FALSE}, {"\"", NULL, FALSE},
        {"W/\"r\"", NULL, FALSE}, {"\"a\", \"b\"", NULL, FALSE}, {"", NULL, FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *revision = NULL;
        assert_int_equal(nest_etag_if_match(rows[i].header, &revision, NULL), rows[i].ok);
        assert_int_equal(g_strcmp0(revision, rows[i].revision), 0);
    }
}

static void test_admission(void **state)
{
    g_autoptr(NestAdmission) admission = nest_admission_new(5, 3);
    for (guint i = 0; i < 3; i++)
        assert_true(nest_admission_enter(admission, 1000));
    assert_false(nest_admission_enter(admission, 1000));
    assert_true(nest_admission_enter(admission, 4294967294));
    assert_true(nest_admission_enter(admission, 1001));
    assert_false(nest_admission_enter(admission, 1002)); /* 5 in all */
    for (guint i = 0; i < NEST_ROOT_RESERVE; i++)
        assert_true(nest_admission_enter(admission, 0));
    assert_false(nest_admission_enter(admission, 0));
    assert_int_equal(nest_admission_total(admission), 5 + NEST_ROOT_RESERVE);
    nest_admission_leave(admission, 1000);
    assert_false(nest_admission_enter(admission, 1000)); /* root is in the places of others */
    for (guint i = 0; i < NEST_ROOT_RESERVE; i++)
        nest_admission_leave(admission, 0);
    assert_true(nest_admission_enter(admission, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_is_found),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_no_such_path),
        cmocka_unit_test(test_method_not_allowed),
        cmocka_unit_test(test_vm_names),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_etag),
        cmocka_unit_test(test_admission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
