/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Numbers and sizes as people write them: pure. Errors are NEST_ERROR_USAGE. */

/* "512M", "4G", "4GiB", "4g"; a plain number is MiB. Above 0 and below 2^53 bytes. */
gboolean nest_quantity_parse_size(const char *text, guint64 *ret_bytes, GError **error);

/* A size, or MIN-MAX: "1G-4G", "1-4G" (both in GiB), "512-1024" (MiB). *ret_min_kib is 0 where
 * there is one size only. */
gboolean nest_quantity_parse_memory(
    const char *text, guint64 *ret_min_kib, guint64 *ret_max_kib, GError **error);

/* A decimal number from min to max; what names it in the message. */
gboolean nest_quantity_parse_number(
    const char *what, const char *text, gint64 min, gint64 max, gint64 *ret_value, GError **error);

/* The value of --timeout, up to a day; 0 where it is NULL. */
gboolean nest_quantity_parse_timeout(const char *text, guint *ret_seconds, GError **error);
