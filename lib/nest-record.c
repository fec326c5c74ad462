/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record.h"

static gpointer slot(gconstpointer value, const NestField *field)
{
    return (char *)value + field->offset;
}

static void free_records(const NestRecord *record, GPtrArray *array)
{
    if (array == NULL)
        return;
    for (guint i = 0; i < array->len; i++)
        nest_record_free(record, g_ptr_array_index(array, i));
    g_ptr_array_set_free_func(array, NULL);
    g_ptr_array_unref(array);
}

static void clear_field(gpointer value, const NestField *field)
{
    gpointer p = slot(value, field);
    switch (field->type) {
    case NEST_FIELD_STRING:
        g_free(*(char **)p);
        break;
    case NEST_FIELD_STRV:
        g_strfreev(*(GStrv *)p);
        break;
    case NEST_FIELD_RECORD:
        nest_record_free(field->record, *(gpointer *)p);
        break;
    case NEST_FIELD_RECORDS:
        free_records(field->record, *(GPtrArray **)p);
        break;
    default:
        break;
    }
}

gpointer nest_record_new(const NestRecord *record)
{
    gpointer value = g_malloc0(record->size);
    for (guint i = 0; i < record->n_fields; i++)
        if (record->fields[i].type == NEST_FIELD_RECORDS)
            *(GPtrArray **)slot(value, &record->fields[i]) = g_ptr_array_new();
    return value;
}

void nest_record_free(const NestRecord *record, gpointer value)
{
    if (value == NULL)
        return;
    for (guint i = 0; i < record->n_fields; i++)
        clear_field(value, &record->fields[i]);
    g_free(value);
}

static GPtrArray *copy_records(const NestRecord *record, const GPtrArray *from)
{
    GPtrArray *to = g_ptr_array_new();
    for (guint i = 0; from != NULL && i < from->len; i++)
        g_ptr_array_add(to, nest_record_copy(record, g_ptr_array_index(from, i)));
    return to;
}

static void copy_field(gconstpointer from, gpointer to, const NestField *field)
{
    gpointer source = slot(from, field), target = slot(to, field);
    switch (field->type) {
    case NEST_FIELD_STRING:
        *(char **)target = g_strdup(*(char **)source);
        break;
    case NEST_FIELD_STRV:
        *(GStrv *)target = g_strdupv(*(GStrv *)source);
        break;
    case NEST_FIELD_RECORD:
        *(gpointer *)target = nest_record_copy(field->record, *(gpointer *)source);
        break;
    case NEST_FIELD_RECORDS:
        *(GPtrArray **)target = copy_records(field->record, *(GPtrArray **)source);
        break;
    case NEST_FIELD_UINT64:
    case NEST_FIELD_INT64:
        *(guint64 *)target = *(guint64 *)source;
        break;
    case NEST_FIELD_BOOL:
    case NEST_FIELD_UINT:
    case NEST_FIELD_ENUM:
        *(guint *)target = *(guint *)source;
        break;
    }
}

gpointer nest_record_copy(const NestRecord *record, gconstpointer value)
{
    if (value == NULL)
        return NULL;
    gpointer copy = g_malloc0(record->size);
    for (guint i = 0; i < record->n_fields; i++)
        copy_field(value, copy, &record->fields[i]);
    return copy;
}

const char *nest_nick(const char *const *nicks, guint value)
{
    return value < g_strv_length((GStrv)nicks) ? nicks[value] : "unknown";
}

gboolean nest_nick_parse(const char *const *nicks, const char *nick, guint *ret_value)
{
    for (guint i = 0; nicks[i] != NULL; i++) {
        if (g_strcmp0(nicks[i], nick) == 0) {
            *ret_value = i;
            return TRUE;
        }
    }
    return FALSE;
}
