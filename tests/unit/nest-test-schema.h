/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-codec.h"
#include "nest-test.h"

/* JSON schemas that others check their files with, held equal to what is read. */

static inline json_t *test_load_schema(const char *name)
{
    g_autofree char *path =
        g_build_filename(g_getenv("NEST_TEST_DATA"), "..", "..", "schema", name, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    assert_true(g_file_get_contents(path, &text, &length, NULL));
    json_t *schema = nest_codec_parse(text, length, NULL);
    assert_non_null(schema);
    return schema;
}

static inline gboolean test_has_string(json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (g_strcmp0(json_string_value(json_array_get(array, i)), text) == 0)
            return TRUE;
    return FALSE;
}

/* What object says itself, or points to in $defs. */
static inline json_t *test_resolve(json_t *schema, json_t *object)
{
    const char *ref = json_string_value(json_object_get(object, "$ref"));
    if (ref == NULL)
        return object;
    assert_true(g_str_has_prefix(ref, "#/$defs/"));
    return json_object_get(json_object_get(schema, "$defs"), ref + strlen("#/$defs/"));
}

/* object of schema has the fields of record, both ways. */
static inline void test_assert_same_fields(json_t *schema, json_t *object, const NestRecord *record)
{
    json_t *properties = json_object_get(object, "properties");
    json_t *required = json_object_get(object, "required");
    assert_int_equal(json_object_size(properties), record->n_fields);
    assert_false(json_is_true(json_object_get(object, "additionalProperties")));
    for (guint i = 0; i < record->n_fields; i++) {
        const NestField *field = &record->fields[i];
        json_t *property = json_object_get(properties, field->name);
        if (property == NULL)
            fail_msg("the schema has no %s", field->name);
        assert_int_equal(
            test_has_string(required, field->name), field->flags == NEST_FIELD_REQUIRED);
        for (guint n = 0; field->nicks != NULL && field->nicks[n] != NULL; n++)
            assert_true(test_has_string(json_object_get(property, "enum"), field->nicks[n]));
        if (field->record != NULL)
            test_assert_same_fields(
                schema, test_resolve(schema, json_object_get(property, "items")), field->record);
    }
}
