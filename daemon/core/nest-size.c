/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-size.h"
#include <string.h>

static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};

char *nest_size_text(guint64 kib)
{
    guint unit = 0;
    double value = (double)kib;
    for (; value >= 1024 && unit + 1 < G_N_ELEMENTS(units); unit++)
        value /= 1024;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(number, sizeof number, "%.1f", value);
    if (g_str_has_suffix(number, ".0"))
        number[strlen(number) - 2] = '\0';
    return g_strdup_printf("%s %s", number, units[unit]);
}

char *nest_size_range(guint64 from_kib, guint64 to_kib)
{
    g_autofree char *from = nest_size_text(from_kib);
    g_autofree char *to = nest_size_text(to_kib);
    if (strcmp(from, to) == 0)
        return g_steal_pointer(&to);
    if (strcmp(strchr(from, ' '), strchr(to, ' ')) == 0)
        *strchr(from, ' ') = '\0';
    return g_strdup_printf("%s–%s", from, to);
}
