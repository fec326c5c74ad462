/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The lines of the reports of proof/ and probe/: PREFIX WORD KEY=VALUE…, written by whoever is in
 * a VM. Pure; any thread. */

/* The words behind prefix, NULL where line (not NUL-terminated, perhaps with CR at its end) is no
 * line of a report, or longer than max. Free with g_strfreev(). */
GStrv nest_report_words(const char *line, gsize length, const char *prefix, gsize max);

/* The value of key= among words, NULL where it is not. */
const char *nest_report_value(const GStrv words, const char *key);
/* The same as a number, decimal or 0x…; FALSE where it is none. */
gboolean nest_report_number(const GStrv words, const char *key, guint64 *ret_number);
/* A copy of the value, cut, NULL where it is not there or empty. */
char *nest_report_word(const GStrv words, const char *key);

/* What words (nullable) of a last line add to code= and lines=: "pass=shadow reason=0x2". Never
 * NULL. */
char *nest_report_details(const GStrv words);

#define NEST_REPORT_WORD_MAX 64
