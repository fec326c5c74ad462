/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include <string.h>

static gpointer slot(gconstpointer value, const NestField *field)
{
    return (char *)value + field->offset;
}

/* Text that is not UTF-8 is made so: without it the whole answer could not be read. */
static json_t *encode_string(const char *text)
{
    json_t *json = json_string(text);
    if (json != NULL)
        return json;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

static json_t *encode_strv(char **values)
{
    json_t *array = json_array();
    for (; values != NULL && *values != NULL; values++)
        json_array_append_new(array, encode_string(*values));
    return array;
}

static json_t *string_or_null(const char *text)
{
    return text != NULL ? encode_string(text) : json_null();
}

static json_t *encode_field(gconstpointer value, const NestField *field)
{
    gpointer p = slot(value, field);
    switch (field->type) {
    case NEST_FIELD_STRING:
        return string_or_null(*(char **)p);
    case NEST_FIELD_STRV:
        return encode_strv(*(char ***)p);
    case NEST_FIELD_BOOL:
        return json_boolean(*(gboolean *)p);
    case NEST_FIELD_UINT:
        return json_integer(*(guint *)p);
    case NEST_FIELD_UINT64:
    case NEST_FIELD_INT64:
        return json_integer(*(gint64 *)p);
    case NEST_FIELD_ENUM:
        return json_string(nest_nick(field->nicks, *(guint *)p));
    case NEST_FIELD_RECORD:
        return nest_codec_encode(field->record, *(gpointer *)p);
    case NEST_FIELD_RECORDS:
        return nest_codec_encode_array(field->record, *(GPtrArray **)p);
    }
    return json_null();
}

json_t *nest_codec_encode(const NestRecord *record, gconstpointer value)
{
    if (value == NULL)
        return json_null();
    json_t *object = json_object();
    for (guint i = 0; i < record->n_fields; i++)
        json_object_set_new_nocheck(
            object, record->fields[i].name, encode_field(value, &record->fields[i]));
    return object;
}

json_t *nest_codec_encode_array(const NestRecord *record, const GPtrArray *values)
{
    json_t *array = json_array();
    for (guint i = 0; values != NULL && i < values->len; i++)
        json_array_append_new(array, nest_codec_encode(record, g_ptr_array_index(values, i)));
    return array;
}

char *nest_codec_to_text(const NestRecord *record, gconstpointer value)
{
    g_autoptr(json_t) json = nest_codec_encode(record, value);
    return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
}

static gboolean refuse(const NestField *field, const char *expected, GError **error)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
        "field \"%s\" must be %s", field->name, expected);
    return FALSE;
}

static gboolean decode_strv(json_t *json, const NestField *field, GStrv *ret, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    size_t i;
    json_t *item;
    if (!json_is_array(json))
        return refuse(field, "an array of strings", error);
    json_array_foreach(json, i, item)
    {
        if (!json_is_string(item))
            return refuse(field, "an array of strings", error);
        g_strv_builder_add(builder, json_string_value(item));
    }
    *ret = g_strv_builder_end(builder);
    return TRUE;
}

static gboolean decode_integer(
    json_t *json, const NestField *field, gint64 min, gint64 max, gint64 *ret, GError **error)
{
    if (!json_is_integer(json))
        return refuse(field, "an integer", error);
    json_int_t value = json_integer_value(json);
    if (value < min || value > max) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "field \"%s\" must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->name, min,
            max);
        return FALSE;
    }
    *ret = value;
    return TRUE;
}

static gboolean decode_enum(json_t *json, const NestField *field, guint *ret, GError **error)
{
    const char *nick = json_string_value(json);
    if (nick != NULL && nest_nick_parse(field->nicks, nick, ret))
        return TRUE;
    g_autofree char *names = g_strjoinv(", ", (GStrv)field->nicks);
    g_autofree char *expected = g_strdup_printf("one of %s", names);
    return refuse(field, expected, error);
}

static gboolean decode_records(
    json_t *json, const NestField *field, NestCodecMode mode, GPtrArray *into, GError **error)
{
    size_t i;
    json_t *item;
    if (!json_is_array(json))
        return refuse(field, "an array", error);
    json_array_foreach(json, i, item)
    {
        gpointer value = nest_codec_decode(field->record, item, mode, error);
        if (value == NULL)
            return FALSE;
        g_ptr_array_add(into, value);
    }
    return TRUE;
}

static gboolean decode_string(json_t *json, const NestField *field, char **ret, GError **error)
{
    if (!json_is_string(json))
        return refuse(field, "a string", error);
    *ret = g_strdup(json_string_value(json));
    return TRUE;
}

static gboolean decode_field(
    gpointer value, json_t *json, const NestField *field, NestCodecMode mode, GError **error)
{
    gpointer p = slot(value, field);
    gint64 number = 0;
    switch (field->type) {
    case NEST_FIELD_STRING:
        return decode_string(json, field, p, error);
    case NEST_FIELD_STRV:
        return decode_strv(json, field, p, error);
    case NEST_FIELD_BOOL:
        if (!json_is_boolean(json))
            return refuse(field, "true or false", error);
        *(gboolean *)p = json_is_true(json);
        return TRUE;
    case NEST_FIELD_UINT:
        if (!decode_integer(json, field, 0, G_MAXUINT32, &number, error))
            return FALSE;
        *(guint *)p = number;
        return TRUE;
    case NEST_FIELD_UINT64:
        return decode_integer(json, field, 0, G_MAXINT64, p, error);
    case NEST_FIELD_INT64:
        return decode_integer(json, field, G_MININT64, G_MAXINT64, p, error);
    case NEST_FIELD_ENUM:
        return decode_enum(json, field, p, error);
    case NEST_FIELD_RECORD:
        *(gpointer *)p = nest_codec_decode(field->record, json, mode, error);
        return *(gpointer *)p != NULL;
    case NEST_FIELD_RECORDS:
        return decode_records(json, field, mode, *(GPtrArray **)p, error);
    }
    return FALSE;
}

static const NestField *find_field(const NestRecord *record, const char *name)
{
    for (guint i = 0; i < record->n_fields; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

static gboolean refuse_unknown(const NestRecord *record, json_t *json, GError **error)
{
    const char *key;
    json_t *item;
    json_object_foreach(json, key, item)
    {
        if (find_field(record, key) != NULL)
            continue;
        g_autofree char *shown = g_strndup(key, 64);
        g_autofree char *valid = g_utf8_make_valid(shown, -1);
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
            "unknown field \"%s\" in %s", valid, record->name);
        return FALSE;
    }
    return TRUE;
}

static gboolean decode_fields(
    const NestRecord *record, json_t *json, NestCodecMode mode, gpointer value, GError **error)
{
    for (guint i = 0; i < record->n_fields; i++) {
        const NestField *field = &record->fields[i];
        json_t *item = json_object_get(json, field->name);
        if (item != NULL && !json_is_null(item)) {
            if (!decode_field(value, item, field, mode, error))
                return FALSE;
        } else if (field->flags & NEST_FIELD_REQUIRED) {
            nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
                "field \"%s\" is missing in %s", field->name, record->name);
            return FALSE;
        }
    }
    return TRUE;
}

gpointer nest_codec_decode(
    const NestRecord *record, json_t *json, NestCodecMode mode, GError **error)
{
    if (!json_is_object(json)) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see GET /v1/openapi.json",
            "%s must be a JSON object", record->name);
        return NULL;
    }
    if (mode == NEST_CODEC_STRICT && !refuse_unknown(record, json, error))
        return NULL;
    gpointer value = nest_record_new(record);
    if (!decode_fields(record, json, mode, value, error)) {
        nest_record_free(record, value);
        return NULL;
    }
    return value;
}

json_t *nest_codec_parse(const char *text, gssize length, GError **error)
{
    json_error_t problem;
    gsize size = length < 0 ? strlen(text) : (gsize)length;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (json == NULL) {
        g_autofree char *reason = g_utf8_make_valid(problem.text, -1);
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "the JSON can't be read: %s (line %d, column %d)", reason, problem.line,
            problem.column);
    }
    return json;
}

gpointer nest_codec_from_text(
    const NestRecord *record, const char *text, gssize length, NestCodecMode mode, GError **error)
{
    g_autoptr(json_t) json = nest_codec_parse(text, length, error);
    return json != NULL ? nest_codec_decode(record, json, mode, error) : NULL;
}
