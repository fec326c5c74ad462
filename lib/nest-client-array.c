/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-array.h"
#include "nest-codec.h"
#include <string.h>

typedef struct {
    const char *at;
    const char *end;
} Cursor;

static gboolean is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Passes over spaces and then wanted, which is '\0' for the end. */
static gboolean skip(Cursor *cursor, char wanted)
{
    while (cursor->at < cursor->end && is_space(*cursor->at))
        cursor->at++;
    if (wanted == '\0')
        return cursor->at == cursor->end;
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return FALSE;
    cursor->at++;
    return TRUE;
}

static gboolean skip_text(Cursor *cursor, const char *text)
{
    gsize length = strlen(text);
    if ((gsize)(cursor->end - cursor->at) < length || strncmp(cursor->at, text, length) != 0)
        return FALSE;
    cursor->at += length;
    return TRUE;
}

/* Behind the string whose first quote has been passed. */
static gboolean skip_string(Cursor *cursor)
{
    for (; cursor->at < cursor->end; cursor->at++) {
        if (*cursor->at == '\\')
            cursor->at++;
        else if (*cursor->at == '"') {
            cursor->at++;
            return TRUE;
        }
    }
    return FALSE;
}

/* Behind the object whose first brace has been passed. Brackets are left to the parser. */
static gboolean skip_object(Cursor *cursor)
{
    guint depth = 1;
    while (depth > 0 && cursor->at < cursor->end) {
        char c = *cursor->at++;
        if (c == '"' && !skip_string(cursor))
            return FALSE;
        depth += (c == '{') - (c == '}');
    }
    return depth == 0;
}

static gboolean take_element(Cursor *cursor, const NestRecord *record, GPtrArray *values)
{
    if (!skip(cursor, '{'))
        return FALSE;
    const char *start = cursor->at - 1;
    if (!skip_object(cursor))
        return FALSE;
    gpointer value =
        nest_codec_from_text(record, start, cursor->at - start, NEST_CODEC_LENIENT, NULL);
    if (value == NULL)
        return FALSE;
    g_ptr_array_add(values, value);
    return TRUE;
}

static GDestroyNotify free_function(const NestRecord *record)
{
    static const struct {
        const NestRecord *record;
        GDestroyNotify free;
    } rows[] = {
        {&nest_vm_summary_record, (GDestroyNotify)nest_vm_summary_free},
        {&nest_check_info_record, (GDestroyNotify)nest_check_info_free},
        {&nest_operation_record, (GDestroyNotify)nest_operation_free},
        {&nest_proof_record, (GDestroyNotify)nest_proof_free},
        {&nest_verification_record, (GDestroyNotify)nest_verification_free},
        {&nest_event_record, (GDestroyNotify)nest_event_free},
        {&nest_revision_record, (GDestroyNotify)nest_revision_free},
        {&nest_checkpoint_record, (GDestroyNotify)nest_checkpoint_free},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].record == record)
            return rows[i].free;
    g_assert_not_reached();
}

GPtrArray *nest_client_array_new(const NestRecord *record)
{
    return g_ptr_array_new_with_free_func(free_function(record));
}

GPtrArray *nest_client_array_cut(
    const NestRecord *record, const char *text, gsize length, const char *member)
{
    g_autoptr(GPtrArray) values = nest_client_array_new(record);
    Cursor cursor = {text, text + length};
    if (!skip(&cursor, '{') || !skip(&cursor, '"') || !skip_text(&cursor, member) ||
        !skip_text(&cursor, "\"") || !skip(&cursor, ':') || !skip(&cursor, '['))
        return NULL;
    if (!skip(&cursor, ']')) {
        do {
            if (!take_element(&cursor, record, values))
                return NULL;
        } while (skip(&cursor, ','));
        if (!skip(&cursor, ']'))
            return NULL;
    }
    if (!skip(&cursor, '}') || !skip(&cursor, '\0'))
        return NULL;
    return g_steal_pointer(&values);
}
