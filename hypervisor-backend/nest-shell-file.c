/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-shell-file.h"
#include <string.h>

/* Where the value begins in a line that sets name, else NULL. */
static const char *value_of(const char *line, const char *name)
{
    gsize length = strlen(name);
    line += strspn(line, " \t");
    return strncmp(line, name, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

/* How long a value is, its quotes included. */
static gsize value_length(const char *value)
{
    const char *end = value;
    while (*end != '\0' && strchr(" \t\r\n;#", *end) == NULL) {
        const char *quote = *end == '"' || *end == '\'' ? strchr(end + 1, *end) : NULL;
        gsize line = strcspn(end, "\n");
        end = quote != NULL && (gsize)(quote - end) < line ? quote + 1 : end + 1;
    }
    return end - value;
}

char *nest_shell_file_value(const char *line, const char *name)
{
    const char *value = value_of(line, name);
    if (value == NULL)
        return NULL;
    g_autofree char *word = g_strndup(value, value_length(value));
    return g_shell_unquote(word, NULL);
}

char *nest_shell_file_set(const char *text, const char *name, const char *value)
{
    const char *last = NULL;
    for (const char *line = text; line != NULL;) {
        const char *found = value_of(line, name);
        last = found != NULL ? found : last;
        line = strchr(line, '\n');
        line += line != NULL;
    }
    if (last == NULL) {
        gboolean open = *text != '\0' && !g_str_has_suffix(text, "\n");
        return g_strdup_printf("%s%s%s=%s\n", text, open ? "\n" : "", name, value);
    }
    return g_strdup_printf("%.*s%s%s", (int)(last - text), text, value, last + value_length(last));
}
