/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-report.h"
#include <string.h>

static gboolean is_printable(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isprint(text[i]))
            return FALSE;
    }
    return TRUE;
}

GStrv nest_report_words(const char *line, gsize length, const char *prefix, gsize max)
{
    gsize before = strlen(prefix);
    while (length > 0 && line[length - 1] == '\r')
        length--;
    if (length < before || length > max || memcmp(line, prefix, before) != 0 ||
        !is_printable(line, length))
        return NULL;
    g_autofree char *copy = g_strndup(line + before, length - before);
    return g_strsplit(copy, " ", -1);
}

const char *nest_report_value(const GStrv words, const char *key)
{
    gsize length = strlen(key);
    for (guint i = 0; words[i] != NULL; i++) {
        if (strncmp(words[i], key, length) == 0 && words[i][length] == '=')
            return words[i] + length + 1;
    }
    return NULL;
}

gboolean nest_report_number(const GStrv words, const char *key, guint64 *ret_number)
{
    const char *value = nest_report_value(words, key);
    if (value == NULL)
        return FALSE;
    guint base = g_str_has_prefix(value, "0x") ? 16 : 10;
    return g_ascii_string_to_unsigned(
        base == 16 ? value + 2 : value, base, 0, G_MAXUINT64, ret_number, NULL);
}

char *nest_report_word(const GStrv words, const char *key)
{
    const char *value = nest_report_value(words, key);
    return value != NULL && *value != '\0' ? g_strndup(value, NEST_REPORT_WORD_MAX) : NULL;
}

char *nest_report_details(const GStrv words)
{
    GString *text = g_string_new(NULL);
    for (guint i = 1; words != NULL && words[0] != NULL && words[i] != NULL; i++) {
        if (g_str_has_prefix(words[i], "code=") || g_str_has_prefix(words[i], "lines=") ||
            *words[i] == '\0')
            continue;
        g_string_append_printf(
            text, "%s%.*s", text->len > 0 ? " " : "", NEST_REPORT_WORD_MAX, words[i]);
    }
    return g_string_free(text, FALSE);
}
