/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Text for people: pure. */

/* A copy of text that can do nothing to a terminal: control characters (new lines too), escape
 * sequences, invisible and direction-changing characters and invalid UTF-8 become \xHH or
 * \u{HHHH}. Where unicode is FALSE, all that is not ASCII becomes ASCII. */
char *nest_text_safe(const char *text, gboolean unicode);

/* Columns that safe text takes. */
guint nest_text_width(const char *text);

/* Safe text cut to width columns, its end then being "…". */
char *nest_text_cut(const char *text, guint width, gboolean unicode);

/* "4 GiB", "512 MiB", "1.5 GiB". */
char *nest_text_memory(guint64 kib);

/* "1–4 GiB" where min_kib is above 0 and below max_kib. */
char *nest_text_memory_range(guint64 min_kib, guint64 max_kib);

/* "4.2 s", "3 min 5 s", "2 h 10 min". */
char *nest_text_duration(gint64 milliseconds);

/* "2026-03-01 09:12:44" in local time, "–" for 0. */
char *nest_text_time(gint64 milliseconds);
