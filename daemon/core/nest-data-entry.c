/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-data-entry.h"
#include "nest-error.h"
#include <string.h>

gboolean nest_data_entry_is_id(const char *text)
{
    gsize length = strlen(text);
    for (const char *c = text; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("._-", *c) == NULL)
            return FALSE;
    return length > 0 && length <= NEST_DATA_ID_MAX;
}

gboolean nest_data_entry_is_line(const char *text, gsize max)
{
    for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c))
        if (g_unichar_iscntrl(g_utf8_get_char(c)))
            return FALSE;
    return *text != '\0' && strlen(text) <= max;
}

gboolean nest_data_entry_refuse(
    const char *id, const char *field, const char *expected, GError **error)
{
    g_autofree char *start = g_strndup(id, NEST_DATA_ID_MAX);
    g_autofree char *shown = g_utf8_make_valid(start, -1);
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see nestd.conf(5)",
        "field \"%s\" of the entry \"%s\" must be %s", field, shown, expected);
    return FALSE;
}
