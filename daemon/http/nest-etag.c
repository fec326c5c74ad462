/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-etag.h"
#include "nest-error.h"
#include <string.h>

/* FNV-1a, eight bytes at a time; it tells versions of one text apart, nothing more. */
static guint64 hash(const char *text)
{
    gsize length = strlen(text);
    guint64 value = 0xcbf29ce484222325ull ^ length, word = 0;
    for (; length > 0; text += sizeof word) {
        gsize n = MIN(length, sizeof word);
        word = 0;
        memcpy(&word, text, n);
        value = (value ^ word) * 0x100000001b3ull;
        value ^= value >> 32;
        length -= n;
    }
    return value;
}

char *nest_etag_make(const char *revision, const char *text)
{
    return g_strdup_printf("\"%s+%016" G_GINT64_MODIFIER "x\"", revision, hash(text));
}

gboolean nest_etag_if_match(const char *header, char **ret_revision, GError **error)
{
    if (header == NULL || strcmp(header, "*") == 0) {
        *ret_revision = NULL;
        return TRUE;
    }
    gsize length = strlen(header);
    if (length < 3 || header[0] != '"' || header[length - 1] != '"' ||
        memchr(header + 1, '"', length - 2) != NULL) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "send the ETag of the virtual machine",
            "If-Match must be one entity tag in quotes, or *");
        return FALSE;
    }
    const char *plus = memchr(header, '+', length);
    gsize end = plus != NULL ? (gsize)(plus - header) : length - 1;
    *ret_revision = g_strndup(header + 1, end - 1);
    return TRUE;
}
