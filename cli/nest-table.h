/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"

/* Columns of text. Not libsmartcols: that takes 5 µs for a row of five cells, as much as all else
 * that nestctl does for it, and knows nothing of what must not reach a terminal. */
typedef struct NestTable NestTable;

/* headers: n_columns texts; const and kept. */
NestTable *nest_table_new(const char *const *headers, guint n_columns);
void nest_table_free(NestTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestTable, nest_table_free)

/* Cells are added row by row, left to right; text is copied. */
void nest_table_add(NestTable *table, NestStyle style, const char *text);

/* The first column is cut, to not less than 12 columns, where the terminal is too narrow. */
void nest_table_print(const NestTable *table, NestOutput *output);
