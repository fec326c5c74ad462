/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract that is served says what the program does, both ways. */
#include "nest-codec.h"
#include "nest-http-resources.h"
#include "nest-router.h"
#include "nest-test.h"
#include <string.h>

static json_t *contract;

static int load(void **state)
{
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(nest_http_resources_get_resource(), "/nestd/openapi.json", 0, NULL);
    contract = nest_codec_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
    return contract == NULL;
}

static int unload(void **state)
{
    json_decref(contract);
    return 0;
}

/* Members by names one below the other. */
static json_t *at(json_t *json, const char *name, ...)
{
    va_list names;
    va_start(names, name);
    for (; name != NULL; name = va_arg(names, const char *))
        json = json_object_get(json, name);
    va_end(names);
    return json;
}

/* What {"$ref": "#/components/KIND/NAME"} refers to; json itself where it is no reference. */
static json_t *resolve(json_t *json)
{
    const char *ref = json_string_value(json_object_get(json, "$ref"));
    if (ref == NULL)
        return json;
    g_auto(GStrv) parts = g_strsplit(ref, "/", -1);
    assert_int_equal(g_strv_length(parts), 4);
    json_t *target = at(contract, parts[1], parts[2], parts[3], NULL);
    if (target == NULL)
        fail_msg("%s refers to nothing", ref);
    return target;
}

static const struct {
    const char *schema;
    const NestRecord *record;
    gboolean request;
} records[] = {
    {"About", &nest_about_record, FALSE},
    {"Check", &nest_check_record, FALSE},
    {"CheckInfo", &nest_check_info_record, FALSE},
    {"CheckReport", &nest_check_report_record, FALSE},
    {"Action", &nest_action_record, FALSE},
    {"ApplyWish", &nest_apply_wish_record, TRUE},
    {"Checkpoint", &nest_checkpoint_record, FALSE},
    {"CheckpointWish", &nest_checkpoint_wish_record, TRUE},
    {"Event", &nest_event_record, FALSE},
    {"ExecOutput", &nest_exec_output_record, FALSE},
    {"InstallWish", &nest_install_wish_record, TRUE},
    {"ExecWish", &nest_exec_wish_record, TRUE},
    {"Given", &nest_given_record, FALSE},
    {"File", &nest_file_record, FALSE},
    {"FilePart", &nest_file_part_record, FALSE},
    {"Guest", &nest_guest_record, FALSE},
    {"GuardWish", &nest_guard_wish_record, TRUE},
    {"Host", &nest_host_record, FALSE},
    {"InnerConsole", &nest_inner_console_record, FALSE},
    {"InnerSpec", &nest_inner_spec_record, TRUE},
    {"InnerVm", &nest_inner_vm_record, FALSE},
    {"InnerVms", &nest_inner_vms_record, FALSE},
    {"InnerWish", &nest_inner_wish_record, TRUE},
    {"Interface", &nest_interface_record, FALSE},
    {"MigrationWish", &nest_migration_wish_record, TRUE},
    {"MemoryWish", &nest_memory_wish_record, TRUE},
    {"Tree", &nest_tree_record, FALSE},
    {"TreeSum", &nest_tree_sum_record, FALSE},
    {"TreeVm", &nest_tree_vm_record, FALSE},
    {"TrustWish", &nest_trust_wish_record, TRUE},
    {"NestedWish", &nest_nested_wish_record, TRUE},
    {"Operation", &nest_operation_record, FALSE},
    {"Plan", &nest_plan_record, FALSE},
    {"PlanItem", &nest_plan_item_record, FALSE},
    {"Problem", &nest_problem_record, FALSE},
    {"Measure", &nest_measure_record, FALSE},
    {"Proof", &nest_proof_record, FALSE},
    {"ProofExit", &nest_proof_exit_record, FALSE},
    {"ProofPass", &nest_proof_pass_record, FALSE},
    {"Verification", &nest_verification_record, FALSE},
    {"ProofWish", &nest_proof_wish_record, TRUE},
    {"Revision", &nest_revision_record, FALSE},
    {"RestartWish", &nest_restart_wish_record, TRUE},
    {"StateWish", &nest_state_wish_record, TRUE},
    {"Status", &nest_status_record, FALSE},
    {"Step", &nest_step_record, FALSE},
    {"UndoWish", &nest_undo_wish_record, TRUE},
    {"HostWish", &nest_host_wish_record, TRUE},
    {"Vm", &nest_vm_record, FALSE},
    {"VmSpec", &nest_vm_spec_record, TRUE},
    {"VmSummary", &nest_vm_summary_record, FALSE},
    {"XmlPlan", &nest_xml_plan_record, FALSE},
    {"XmlWish", &nest_xml_wish_record, TRUE},
};

static const char *schema_of(const NestRecord *record)
{
    for (guint i = 0; i < G_N_ELEMENTS(records); i++)
        if (records[i].record == record)
            return records[i].schema;
    fail_msg("the record %s has no schema", record->name);
    return NULL;
}

static gboolean has(json_t *array, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(
        array, i, item) if (g_strcmp0(json_string_value(item), text) == 0) return TRUE;
    return FALSE;
}

static void check_type(json_t *property, const char *type)
{
    json_t *given = json_object_get(property, "type");
    assert_true(g_strcmp0(json_string_value(given), type) == 0 || has(given, type));
}

static void check_nicks(json_t *list, const char *const *nicks)
{
    assert_int_equal(json_array_size(list), g_strv_length((GStrv)nicks));
    for (guint i = 0; nicks[i] != NULL; i++)
        assert_string_equal(json_string_value(json_array_get(list, i)), nicks[i]);
}

static void check_ref(json_t *json, const NestRecord *record)
{
    const char *ref = json_string_value(json_object_get(json, "$ref"));
    assert_non_null(ref);
    assert_true(g_str_has_suffix(ref, schema_of(record)));
    assert_ptr_equal(resolve(json), at(contract, "components", "schemas", schema_of(record), NULL));
}

static void check_property(json_t *property, const NestField *field)
{
    static const char *const types[] = {[NEST_FIELD_STRING] = "string",
        [NEST_FIELD_STRV] = "array",
        [NEST_FIELD_BOOL] = "boolean",
        [NEST_FIELD_UINT] = "integer",
        [NEST_FIELD_UINT64] = "integer",
        [NEST_FIELD_INT64] = "integer",
        [NEST_FIELD_ENUM] = "string",
        [NEST_FIELD_RECORD] = NULL,
        [NEST_FIELD_RECORDS] = "array"};
    if (types[field->type] != NULL)
        check_type(property, types[field->type]);
    if (field->type == NEST_FIELD_ENUM)
        check_nicks(json_object_get(property, "enum"), field->nicks);
    if (field->type == NEST_FIELD_RECORDS)
        check_ref(json_object_get(property, "items"), field->record);
    if (field->type == NEST_FIELD_RECORD)
        check_ref(json_object_get(property, "oneOf") != NULL
                ? json_array_get(json_object_get(property, "oneOf"), 0)
                : property,
            field->record);
    if (field->type == NEST_FIELD_UINT || field->type == NEST_FIELD_UINT64)
        assert_int_equal(json_integer_value(json_object_get(property, "minimum")), 0);
}

static void test_records(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(records); i++) {
        const NestRecord *record = records[i].record;
        json_t *schema = at(contract, "components", "schemas", records[i].schema, NULL);
        json_t *properties = json_object_get(schema, "properties");
        json_t *required = json_object_get(schema, "required");
        assert_int_equal(json_object_size(properties), record->n_fields);
        for (guint f = 0; f < record->n_fields; f++) {
            const NestField *field = &record->fields[f];
            json_t *property = json_object_get(properties, field->name);
            if (property == NULL)
                fail_msg("%s lacks %s", records[i].schema, field->name);
            check_property(property, field);
            gboolean needed = (field->flags & NEST_FIELD_REQUIRED) || !records[i].request;
            assert_int_equal(has(required, field->name), needed);
        }
        assert_int_equal(
            records[i].request, json_is_false(json_object_get(schema, "additionalProperties")));
    }
}

static json_t *operation_of(const NestRoute *route)
{
    g_autofree char *method = g_ascii_strdown(route->method, -1);
    json_t *operation = at(contract, "paths", route->pattern, method, NULL);
    if (operation == NULL)
        fail_msg("the contract lacks %s %s", route->method, route->pattern);
    return operation;
}

/* The query parameters of an operation are those of the route, with their bounds. */
static void check_params(json_t *operation, const NestRoute *route)
{
    guint queries = 0, n = 0;
    size_t i;
    json_t *entry;
    while (n < NEST_PARAMS_MAX && route->params[n].name != NULL)
        n++;
    json_array_foreach(json_object_get(operation, "parameters"), i, entry)
    {
        json_t *parameter = resolve(entry), *schema = json_object_get(parameter, "schema");
        if (strcmp(json_string_value(json_object_get(parameter, "in")), "query") != 0)
            continue;
        assert_true(queries < n);
        const NestParam *param = &route->params[queries++];
        assert_string_equal(json_string_value(json_object_get(parameter, "name")), param->name);
        const char *least = param->text ? "minLength" : "minimum";
        const char *most = param->text ? "maxLength" : "maximum";
        assert_string_equal(
            json_string_value(json_object_get(schema, "type")), param->text ? "string" : "integer");
        assert_int_equal(json_integer_value(json_object_get(schema, least)), param->min);
        assert_int_equal(json_integer_value(json_object_get(schema, most)), param->max);
        assert_int_equal(json_integer_value(json_object_get(schema, "default")), param->initial);
        assert_int_equal(
            json_is_true(json_object_get(parameter, "required")), param->text && param->min > 0);
    }
    assert_int_equal(queries, n);
}

static void check_path_params(const NestRoute *route)
{
    json_t *parameters = at(contract, "paths", route->pattern, "parameters", NULL);
    const char *brace = strchr(route->pattern, '{');
    guint n = 0;
    for (; brace != NULL; brace = strchr(brace + 1, '{')) {
        json_t *parameter = resolve(json_array_get(parameters, n++));
        const char *name = json_string_value(json_object_get(parameter, "name"));
        assert_int_equal(strncmp(brace + 1, name, strlen(name)), 0);
    }
    assert_int_equal(json_array_size(parameters), n);
}

static void test_routes_are_in_contract(void **state)
{
    for (guint i = 0; i < nest_n_routes; i++) {
        const NestRoute *route = &nest_routes[i];
        json_t *operation = operation_of(route);
        assert_string_equal(json_string_value(json_object_get(operation, "x-nestd-right")),
            nest_right_name(route->right));
        json_t *body = at(operation, "requestBody", "content", "application/json", "schema", NULL);
        json_t *bytes = at(operation, "requestBody", "content", "application/octet-stream", NULL);
        assert_int_equal(body != NULL, route->body != NULL);
        assert_int_equal(bytes != NULL, route->raw);
        if (route->body != NULL)
            check_ref(body, route->body);
        check_params(operation, route);
        check_path_params(route);
        assert_non_null(at(operation, "responses", "default", NULL));
    }
}

static void test_contract_is_in_routes(void **state)
{
    const char *path, *method;
    json_t *item, *operation;
    guint n = 0;
    json_object_foreach(json_object_get(contract, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            if (strcmp(method, "parameters") == 0)
                continue;
            gboolean found = FALSE;
            for (guint i = 0; i < nest_n_routes; i++)
                found = found || operation == operation_of(&nest_routes[i]);
            if (!found)
                fail_msg("there is no route for %s %s", method, path);
            n++;
        }
    }
    assert_int_equal(n, nest_n_routes);
}

static void test_kinds(void **state)
{
    json_t *kinds = at(contract, "components", "schemas", "Kind", "enum", NULL);
    assert_int_equal(json_array_size(kinds), NEST_N_ERRORS);
    for (guint i = 0; i < NEST_N_ERRORS; i++)
        assert_string_equal(json_string_value(json_array_get(kinds, i)), nest_error_kind(i));
}

static void check_refs(json_t *json)
{
    const char *name;
    json_t *item;
    size_t i;
    resolve(json);
    json_object_foreach(json, name, item) check_refs(item);
    json_array_foreach(json, i, item) check_refs(item);
}

static void test_references(void **state)
{
    check_refs(contract);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_routes_are_in_contract),
        cmocka_unit_test(test_contract_is_in_routes),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
