/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-inner-view.h"
#include "nest-text.h"

#define INDENT 2

char *nest_inner_view_memory(guint64 kib)
{
    return kib > 0 ? nest_text_memory(kib) : g_strdup("?");
}

char *nest_inner_view_vcpus(guint vcpus)
{
    return vcpus > 0 ? g_strdup_printf("%u", vcpus) : g_strdup("?");
}

void nest_inner_view_remark(
    NestOutput *output, NestStyle style, const char *about, const char *text)
{
    g_autofree char *line = about != NULL ? g_strdup_printf("%s: %s", about, text) : g_strdup(text);
    nest_output_cell(output, style, INDENT, style == NEST_STYLE_CAUTION ? "!" : "");
    nest_output_wrapped(output, NEST_STYLE_PLAIN, INDENT, line);
}

void nest_inner_view_remarks(NestOutput *output, NestStyle style, const char *about, GStrv texts)
{
    for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
        nest_inner_view_remark(output, style, about, texts[i]);
}
