/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The lines of the reports of proof/ and probe/: PREFIX WORD KEY=VALUE…, written by whoever is in
 * a VM. Pure; any thread. */

typedef struct {
    const char *prefix;
    gsize line_max, most; /* bytes of a line, and of a report, that are read */
} NestReportForm;

/* Takes the words behind the prefix, which stay the caller's; FALSE: no more are wanted. */
typedef gboolean (*NestReportTake)(const GStrv words, gpointer data);

/* Has each whole line of a report among text (not NUL-terminated) taken; what else is there is
 * passed over. */
void nest_report_read(
    const NestReportForm *form, const char *text, gsize length, NestReportTake take, gpointer data);

/* The value of key= among words, NULL where it is not. */
const char *nest_report_value(const GStrv words, const char *key);
/* The same as a number, decimal or 0x…; FALSE where it is none. */
gboolean nest_report_number(const GStrv words, const char *key, guint64 *ret_number);
/* A copy of the value, cut, NULL where it is not there or empty. */
char *nest_report_word(const GStrv words, const char *key);

typedef struct {
    const char *code, *meaning;
} NestReportMeaning;
/* What code (nullable) says, NULL where it is not among meanings, which end with one of NULL. */
const char *nest_report_meaning(const NestReportMeaning *meanings, const char *code);

/* meaning, and what words (nullable) of a last line add to code= and lines=: "… (pass=shadow
 * reason=0x2)". Free with g_free(). */
char *nest_report_message(const char *meaning, const GStrv words);

#define NEST_REPORT_WORD_MAX 64
