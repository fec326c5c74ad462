/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-table.h"

#define GAP 3
#define NARROW_GAP 2
#define MAX_COLUMNS 12
#define LEAST_FIRST 12

typedef struct {
    const char *text; /* in the string chunk */
    NestStyle style;
} Cell;

struct NestTable {
    const char *const *headers;
    guint n_columns;
    GArray *cells;
    GStringChunk *texts;
};

NestTable *nest_table_new(const char *const *headers, guint n_columns)
{
    g_return_val_if_fail(n_columns > 0 && n_columns <= MAX_COLUMNS, NULL);
    NestTable *table = g_new0(NestTable, 1);
    table->headers = headers;
    table->n_columns = n_columns;
    table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    table->texts = g_string_chunk_new(16 * 1024);
    return table;
}

void nest_table_free(NestTable *table)
{
    if (table == NULL)
        return;
    g_array_unref(table->cells);
    g_string_chunk_free(table->texts);
    g_free(table);
}

void nest_table_add(NestTable *table, NestStyle style, const char *text)
{
    Cell cell = {g_string_chunk_insert(table->texts, text), style};
    g_array_append_val(table->cells, cell);
}

static void measure(const NestTable *table, const NestOutput *output, guint *widths)
{
    for (guint column = 0; column < table->n_columns; column++)
        widths[column] = nest_output_measure(output, table->headers[column]);
    for (guint i = 0; i < table->cells->len; i++) {
        guint width = nest_output_measure(output, g_array_index(table->cells, Cell, i).text);
        guint column = i % table->n_columns;
        widths[column] = MAX(widths[column], width);
    }
}

/* Makes the widths fit the terminal as far as that goes; the gap between columns. */
static guint fit(const NestTable *table, const NestOutput *output, guint *widths)
{
    guint room = nest_output_width(output), sum = 0;
    for (guint column = 0; column < table->n_columns; column++)
        sum += widths[column];
    if (room == 0 || sum + (table->n_columns - 1) * GAP <= room)
        return GAP;
    sum += (table->n_columns - 1) * NARROW_GAP;
    guint excess = sum > room ? sum - room : 0;
    if (widths[0] > LEAST_FIRST)
        widths[0] = widths[0] > excess + LEAST_FIRST ? widths[0] - excess : LEAST_FIRST;
    return NARROW_GAP;
}

void nest_table_print(const NestTable *table, NestOutput *output)
{
    guint widths[MAX_COLUMNS] = {0};
    measure(table, output, widths);
    guint gap = fit(table, output, widths), last = table->n_columns - 1;
    for (guint i = 0; i < table->n_columns + table->cells->len; i++) {
        guint column = i % table->n_columns;
        Cell cell = {table->headers[column], NEST_STYLE_BOLD};
        if (i >= table->n_columns)
            cell = g_array_index(table->cells, Cell, i - table->n_columns);
        nest_output_cell(output, cell.style, column < last ? widths[column] : 0, cell.text);
        if (column < last)
            nest_output_cell(output, NEST_STYLE_PLAIN, gap, "");
        else
            nest_output_end(output);
    }
}
