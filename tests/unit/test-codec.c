/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-test.h"
#include <string.h>

static gpointer decode(const NestRecord *record, const char *text, GError **error)
{
    return nest_codec_from_text(record, text, -1, NEST_CODEC_STRICT, error);
}

static void test_round_trip(void **state)
{
    g_autoptr(NestPlan) plan = nest_plan_new();
    plan->uuid = g_strdup("u");
    plan->warnings = g_strsplit("a,b", ",", -1);
    plan->verdict = NEST_PLAN_REFUSED;
    NestPlanItem *item = nest_record_new(&nest_plan_item_record);
    item->id = g_strdup("memory");
    item->optional = TRUE;
    g_ptr_array_add(plan->items, item);
    g_autofree char *text = nest_codec_to_text(&nest_plan_record, plan);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestPlan) back = decode(&nest_plan_record, text, &error);
    assert_no_error(error);
    g_autofree char *again = nest_codec_to_text(&nest_plan_record, back);
    assert_string_equal(text, again);
    assert_non_null(strstr(text, "\"verdict\":\"refused\""));
}

static void test_copy_is_deep(void **state)
{
    g_autoptr(NestOperation) operation = nest_operation_new();
    operation->id = 7;
    operation->note = g_strdup("n");
    NestStep *step = nest_record_new(&nest_step_record);
    step->id = g_strdup("s");
    g_ptr_array_add(operation->steps, step);
    g_autoptr(NestOperation) copy = nest_operation_copy(operation);
    assert_int_equal(copy->id, 7);
    assert_ptr_not_equal(copy->note, operation->note);
    assert_string_equal(((NestStep *)copy->steps->pdata[0])->id, "s");
}

/* A byte that is no text must not cost the field, and with it the whole answer. */
static void test_text_that_is_none(void **state)
{
    g_autoptr(NestPlan) plan = nest_plan_new();
    plan->uuid = g_strdup("a\xff");
    plan->warnings = g_strsplit("b\xc3,c", ",", -1);
    g_autofree char *text = nest_codec_to_text(&nest_plan_record, plan);
    assert_non_null(strstr(text, "\"uuid\":\"a\xef\xbf\xbd\""));
    assert_non_null(strstr(text, "[\"b\xef\xbf\xbd\",\"c\"]"));
}

static void test_bad_input(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "JSON"},
        {"[]", "must be a JSON object"},
        {"{\"name\":\"a\"}", "\"memory_kib\" is missing"},
        {"{\"name\":null,\"memory_kib\":1}", "\"name\" is missing"},
        {"{\"name\":1,\"memory_kib\":1}", "\"name\" must be a string"},
        {"{\"name\":\"a\",\"memory_kib\":-1}", "\"memory_kib\" must be from 0"},
        {"{\"name\":\"a\",\"memory_kib\":1.5}", "must be an integer"},
        {"{\"name\":\"a\",\"memory_kib\":1,\"vcpus\":4294967296}", "\"vcpus\" must be from 0"},
        {"{\"name\":\"a\",\"memory_kib\":1,\"nested\":1}", "must be true or false"},
        {"{\"name\":\"a\",\"memory_kib\":1,\"accel\":\"hax\"}", "one of auto, kvm, tcg"},
        {"{\"name\":\"a\",\"memory_kib\":1,\"nam\":\"b\"}", "unknown field \"nam\""},
        {"{\"name\":\"a\",\"name\":\"b\",\"memory_kib\":1}", "duplicate"},
        {"{\"name\":\"a\",\"memory_kib\":1} x", "JSON"},
        {"{\"name\":\"a\\u0000b\",\"memory_kib\":1}", "JSON"},
        {"{\"name\":\"a\",\"memory_kib\":99999999999999999999}", "JSON"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(decode(&nest_vm_spec_record, rows[i].text, &error));
        assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, rows[i].says);
    }
}

static void test_deep_nesting(void **state)
{
    g_autofree char *deep = g_strnfill(100000, '[');
    g_autoptr(GError) error = NULL;
    assert_null(decode(&nest_vm_spec_record, deep, &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "JSON");
}

static void test_decline_list(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestNestedWish) wish =
        decode(&nest_nested_wish_record, "{\"enabled\":true,\"decline\":[\"memory\"]}", &error);
    assert_no_error(error);
    assert_string_equal(wish->decline[0], "memory");
    assert_null(decode(&nest_nested_wish_record, "{\"enabled\":true,\"decline\":[1]}", &error));
    assert_nest_error(error, NEST_ERROR_INVALID_REQUEST, "array of strings");
}

static void test_lenient_ignores_unknown(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestEvent) event = nest_codec_from_text(
        &nest_event_record, "{\"id\":3,\"later\":{}}", -1, NEST_CODEC_LENIENT, &error);
    assert_no_error(error);
    assert_int_equal(event->id, 3);
}

static void test_error_table(void **state)
{
    for (NestErrorCode code = 0; code < NEST_N_ERRORS; code++) {
        assert_int_equal(nest_error_from_kind(nest_error_kind(code)), code);
        assert_true(nest_error_http_status(code) >= 400);
        assert_true(nest_error_exit_status(code) > 0);
    }
    assert_int_equal(nest_error_from_kind("from-the-future"), NEST_ERROR_INTERNAL);
}

static void test_error_next_survives_copy(void **state)
{
    g_autoptr(GError) error = NULL;
    nest_set_error(&error, NEST_ERROR_VM_BUSY, "wait", "%s is busy", "a");
    g_autoptr(GError) copy = g_error_copy(error);
    assert_string_equal(nest_error_get_next(copy), "wait");
    g_autoptr(NestProblem) problem = nest_problem_from_error(copy);
    g_autoptr(GError) back = NULL;
    nest_problem_to_error(problem, &back);
    assert_nest_error(back, NEST_ERROR_VM_BUSY, "a is busy");
    assert_string_equal(nest_error_get_next(back), "wait");
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", "a/b", "..", "-a", "a b", "ä", "a\n", "\x1b[1m",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(nest_vm_name_check(bad[i], NULL));
    g_autofree char *longest = g_strnfill(63, 'a');
    g_autofree char *too_long = g_strnfill(64, 'a');
    assert_true(nest_vm_name_check(longest, NULL));
    assert_false(nest_vm_name_check(too_long, NULL));
    assert_true(nest_vm_name_check("DemoVM-1.x_y", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_copy_is_deep),
        cmocka_unit_test(test_text_that_is_none),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_decline_list),
        cmocka_unit_test(test_lenient_ignores_unknown),
        cmocka_unit_test(test_error_table),
        cmocka_unit_test(test_error_next_survives_copy),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
