/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-test.h"

#include "nest-client-array.h"
#include "nest-types.h"
#include <string.h>

static GPtrArray *cut(const char *text)
{
    return nest_client_array_cut(&nest_vm_summary_record, text, strlen(text), "vms");
}

static void test_lists(void **state)
{
    static const struct {
        const char *text;
        guint n;
    } rows[] = {{"{\"vms\":[]}", 0}, {" { \"vms\" : [ ] } \n", 0},
        {"{\"vms\":[{\"name\":\"a\",\"uuid\":\"u\"}]}", 1},
        {"{\"vms\":[{\"name\":\"}]{\",\"uuid\":\"\\\"}\\\\\"} , {\"name\":\"b\",\"uuid\":\"u\","
         "\"new\":{\"x\":[{}]}}]}",
            2}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) values = cut(rows[i].text);
        assert_non_null(values);
        assert_int_equal(values->len, rows[i].n);
    }
    g_autoptr(GPtrArray) values = cut(rows[3].text);
    assert_string_equal(((NestVmSummary *)g_ptr_array_index(values, 0))->name, "}]{");
    assert_string_equal(((NestVmSummary *)g_ptr_array_index(values, 0))->uuid, "\"}\\");
    assert_string_equal(((NestVmSummary *)g_ptr_array_index(values, 1))->name, "b");
}

/* Whatever is not just that list is left to the parser of the whole. */
static void test_other_forms(void **state)
{
    static const char *const rows[] = {"", "{", "[]", "{}", "{\"vms\":null}", "{\"vms\":[}",
        "{\"vms\":[1]}", "{\"vms\":[{}]}", "{\"vms\":[{\"name\":\"a\",\"uuid\":\"u\"},]}",
        "{\"vms\":[{\"name\":\"a\",\"uuid\":\"u\"}", "{\"vms\":[{\"name\":\"a",
        "{\"vms\":[{\"name\":\"a\\", "{\"vms\":[],\"more\":1}", "{\"vms\":[]}x", "{\"vmsx\":[]}",
        "{\"vm\":[]}", "{\"vms\":[{\"name\":\"a\",\"name\":\"a\",\"uuid\":\"u\"}]}",
        "{\"vms\":[{\"name\":\"a\",\"uuid\":\"u\"]}]}"};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_null(cut(rows[i]));
    assert_null(nest_client_array_cut(&nest_vm_summary_record, "{\"vms\":[\0]}", 11, "vms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists), cmocka_unit_test(test_other_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
