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

/* The words behind the prefix, NULL where line, perhaps with CR at its end, is no line of a report.
 */
static GStrv words_of(const NestReportForm *form, const char *line, gsize length)
{
    gsize before = strlen(form->prefix);
    while (length > 0 && line[length - 1] == '\r')
        length--;
    if (length < before || length > form->line_max || memcmp(line, form->prefix, before) != 0 ||
        !is_printable(line, length))
        return NULL;
    g_autofree char *copy = g_strndup(line + before, length - before);
    return g_strsplit(copy, " ", -1);
}

void nest_report_read(
    const NestReportForm *form, const char *text, gsize length, NestReportTake take, gpointer data)
{
    const char *end = text + MIN(length, form->most), *newline;
    gboolean more = TRUE;
    for (; more && text < end && (newline = memchr(text, '\n', (gsize)(end - text))) != NULL;
         text = newline + 1) {
        g_auto(GStrv) words = words_of(form, text, (gsize)(newline - text));
        more = words == NULL || take(words, data);
    }
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

const char *nest_report_meaning(const NestReportMeaning *meanings, const char *code)
{
    for (; meanings->code != NULL; meanings++) {
        if (g_strcmp0(meanings->code, code) == 0)
            return meanings->meaning;
    }
    return NULL;
}

char *nest_report_message(const char *meaning, const GStrv words)
{
    g_autoptr(GString) more = g_string_new(NULL);
    for (guint i = 1; words != NULL && words[0] != NULL && words[i] != NULL; i++) {
        if (g_str_has_prefix(words[i], "code=") || g_str_has_prefix(words[i], "lines=") ||
            *words[i] == '\0')
            continue;
        g_string_append_printf(
            more, "%s%.*s", more->len > 0 ? " " : "", NEST_REPORT_WORD_MAX, words[i]);
    }
    return more->len > 0 ? g_strdup_printf("%s (%s)", meaning, more->str) : g_strdup(meaning);
}
