/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-quantity.h"
#include "nest-error.h"
#include <string.h>

#define MAX_BYTES (G_GUINT64_CONSTANT(1) << 53)

typedef struct {
    const char *suffix;
    guint shift;
} Unit;

/* "GB" is not here on purpose: to some it is 10^9, to others 2^30. */
static const Unit units[] = {
    {"K", 10},
    {"KiB", 10},
    {"M", 20},
    {"MiB", 20},
    {"G", 30},
    {"GiB", 30},
    {"T", 40},
    {"TiB", 40},
};

static gboolean refuse(const char *text, GError **error)
{
    nest_set_error(error, NEST_ERROR_USAGE,
        "write it like 512M, 4G or 4GiB; without a unit it is MiB", "\"%s\" is no size", text);
    return FALSE;
}

/* Splits digits from suffix; FALSE where there are no digits or they overflow. */
static gboolean split(const char *text, guint64 *ret_value, const char **ret_suffix)
{
    if (!g_ascii_isdigit(*text))
        return FALSE;
    char *end = NULL;
    guint64 value = g_ascii_strtoull(text, &end, 10);
    if (value == 0 || value > MAX_BYTES)
        return FALSE;
    *ret_value = value;
    *ret_suffix = end;
    return TRUE;
}

static gboolean find_shift(const char *suffix, guint *ret_shift)
{
    for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(units[i].suffix, suffix) == 0) {
            *ret_shift = units[i].shift;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean parse(
    const char *text, const char *default_suffix, guint64 *ret_bytes, GError **error)
{
    guint64 value = 0;
    guint shift = 0;
    const char *suffix = NULL;
    if (!split(text, &value, &suffix))
        return refuse(text, error);
    if (!find_shift(*suffix != '\0' ? suffix : default_suffix, &shift))
        return refuse(text, error);
    if (value >= MAX_BYTES >> shift)
        return refuse(text, error);
    *ret_bytes = value << shift;
    return TRUE;
}

gboolean nest_quantity_parse_size(const char *text, guint64 *ret_bytes, GError **error)
{
    return parse(text, "M", ret_bytes, error);
}

gboolean nest_quantity_parse_memory(
    const char *text, guint64 *ret_min_kib, guint64 *ret_max_kib, GError **error)
{
    const char *dash = strchr(text, '-');
    const char *max_text = dash != NULL ? dash + 1 : text;
    guint64 min = 0, max = 0;
    if (!nest_quantity_parse_size(max_text, &max, error))
        return FALSE;
    if (dash != NULL) {
        g_autofree char *min_text = g_strndup(text, dash - text);
        const char *unit = max_text + strspn(max_text, "0123456789");
        if (!parse(min_text, *unit != '\0' ? unit : "M", &min, error))
            return FALSE;
        if (min > max) {
            nest_set_error(error, NEST_ERROR_USAGE, "write the smaller one first: 1G-4G",
                "in \"%s\" the least memory is more than the most", text);
            return FALSE;
        }
    }
    *ret_min_kib = min == max ? 0 : min >> 10;
    *ret_max_kib = max >> 10;
    return TRUE;
}

gboolean nest_quantity_parse_number(
    const char *what, const char *text, gint64 min, gint64 max, gint64 *ret_value, GError **error)
{
    if (g_ascii_string_to_signed(text, 10, min, max, ret_value, NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_USAGE, NULL,
        "%s must be a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", not \"%s\"", what,
        min, max, text);
    return FALSE;
}

gboolean nest_quantity_parse_timeout(const char *text, guint *ret_seconds, GError **error)
{
    gint64 seconds = 0;
    if (text != NULL &&
        !nest_quantity_parse_number("--timeout", text, 1, 24 * 60 * 60, &seconds, error))
        return FALSE;
    *ret_seconds = (guint)seconds;
    return TRUE;
}
