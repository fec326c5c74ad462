/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What an entry of the administrator's data must be, whatever it is about. Pure. */

#define NEST_DATA_ID_MAX 64 /* bytes */

/* 1 to NEST_DATA_ID_MAX letters, digits and . _ - */
gboolean nest_data_entry_is_id(const char *text);

/* 1 to max bytes without control characters: it is shown in one line. */
gboolean nest_data_entry_is_line(const char *text, gsize max);

/* FALSE with INVALID_REQUEST: "field … of the entry … must be EXPECTED". */
gboolean nest_data_entry_refuse(
    const char *id, const char *field, const char *expected, GError **error);
