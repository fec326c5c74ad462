/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-text.h"
#include <string.h>

#define KIB_PER_GIB (1024.0 * 1024.0)

typedef struct {
    gunichar character;
    const char *ascii;
} Substitute;

/* What nestd and nestctl themselves use beyond ASCII. */
static const Substitute substitutes[] = {
    {0x00b5, "u"},
    {0x00b7, "-"},
    {0x00d7, "x"},
    {0x2013, "-"},
    {0x2014, "-"},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201c, "\""},
    {0x201d, "\""},
    {0x2026, "..."},
    {0x2192, "->"},
    {0x21b6, "<-"},
    {0x2264, "<="},
    {0x2265, ">="},
    {0x2713, "ok"},
    {0x2717, "x"},
};

static gboolean harmless_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return FALSE;
    return TRUE;
}

static gboolean is_visible(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT: /* bidi, zero-width, tags */
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return FALSE;
    case G_UNICODE_SPACE_SEPARATOR:
        return c == ' ';
    default:
        return TRUE;
    }
}

static void append_ascii(GString *safe, gunichar c)
{
    for (guint i = 0; i < G_N_ELEMENTS(substitutes); i++) {
        if (substitutes[i].character == c) {
            g_string_append(safe, substitutes[i].ascii);
            return;
        }
    }
    g_string_append_printf(safe, "\\u{%x}", c);
}

static void append_character(GString *safe, gunichar c, gboolean unicode)
{
    if (c >= 0x20 && c < 0x7f)
        g_string_append_c(safe, (char)c);
    else if (c < 0x20 || c == 0x7f)
        g_string_append_printf(safe, "\\x%02x", c);
    else if (!is_visible(c))
        g_string_append_printf(safe, "\\u{%x}", c);
    else if (unicode)
        g_string_append_unichar(safe, c);
    else
        append_ascii(safe, c);
}

char *nest_text_safe(const char *text, gboolean unicode)
{
    if (harmless_ascii(text))
        return g_strdup(text);
    GString *safe = g_string_sized_new(strlen(text) + 16);
    while (*text != '\0') {
        gunichar c = g_utf8_get_char_validated(text, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(safe, "\\x%02x", (guchar)*text);
            text++;
        } else {
            append_character(safe, c, unicode);
            text = g_utf8_next_char(text);
        }
    }
    return g_string_free(safe, FALSE);
}

static guint character_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint nest_text_width(const char *text)
{
    guint width = 0;
    if (harmless_ascii(text))
        return strlen(text);
    for (; *text != '\0'; text = g_utf8_next_char(text))
        width += character_width(g_utf8_get_char(text));
    return width;
}

char *nest_text_cut(const char *text, guint width, gboolean unicode)
{
    const char *mark = unicode ? "…" : "~";
    guint taken = 0;
    const char *p = text;
    if (nest_text_width(text) <= width || width < 2)
        return g_strdup(text);
    for (; *p != '\0'; p = g_utf8_next_char(p)) {
        guint next = character_width(g_utf8_get_char(p));
        if (taken + next > width - 1)
            break;
        taken += next;
    }
    g_autofree char *head = g_strndup(text, p - text);
    return g_strconcat(head, mark, NULL);
}

static char *number(double value)
{
    if (value == (double)(guint64)value)
        return g_strdup_printf("%.0f", value);
    return g_strdup_printf("%.1f", value);
}

char *nest_text_memory(guint64 kib)
{
    gboolean gib = kib >= KIB_PER_GIB;
    g_autofree char *amount = number(kib / (gib ? KIB_PER_GIB : 1024.0));
    return g_strconcat(amount, gib ? " GiB" : " MiB", NULL);
}

char *nest_text_memory_range(guint64 min_kib, guint64 max_kib)
{
    g_autofree char *max = nest_text_memory(max_kib);
    if (min_kib == 0 || min_kib >= max_kib)
        return g_steal_pointer(&max);
    g_autofree char *min = nest_text_memory(min_kib);
    if (g_str_has_suffix(min, strrchr(max, ' ')))
        *strrchr(min, ' ') = '\0';
    return g_strconcat(min, "–", max, NULL);
}

char *nest_text_duration(gint64 milliseconds)
{
    gint64 seconds = milliseconds / 1000;
    if (seconds < 60)
        return g_strdup_printf("%.1f s", MAX(milliseconds, 0) / 1000.0);
    if (seconds < 3600)
        return g_strdup_printf("%d min %d s", (int)(seconds / 60), (int)(seconds % 60));
    return g_strdup_printf(
        "%" G_GINT64_FORMAT " h %d min", seconds / 3600, (int)(seconds % 3600 / 60));
}

char *nest_text_time(gint64 milliseconds)
{
    g_autoptr(GDateTime) time =
        milliseconds > 0 ? g_date_time_new_from_unix_local(milliseconds / 1000) : NULL;
    return time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("–");
}
