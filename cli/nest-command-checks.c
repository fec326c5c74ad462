/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-table.h"
#include <string.h>

#define LABEL_WIDTH 10

static void print_names(NestOutput *output, const GPtrArray *catalogue)
{
    for (guint i = 0; i < catalogue->len; i++)
        nest_output_line(
            output, "%s", ((const NestCheckInfo *)g_ptr_array_index(catalogue, i))->id);
}

static gboolean has_guards(const GPtrArray *catalogue)
{
    for (guint i = 0; i < catalogue->len; i++)
        if (((const NestCheckInfo *)g_ptr_array_index(catalogue, i))->scope == NEST_SCOPE_GUARD)
            return TRUE;
    return FALSE;
}

static void print_table(NestOutput *output, const GPtrArray *catalogue, gboolean guards)
{
    static const char *const headers[] = {"CHECK", "WORST", "PASSES WHERE"};
    static const char *const guard_headers[] = {"GUARD", "WORST", "GUARDS"};
    g_autoptr(NestTable) table =
        nest_table_new(guards ? guard_headers : headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < catalogue->len; i++) {
        const NestCheckInfo *info = g_ptr_array_index(catalogue, i);
        if ((info->scope == NEST_SCOPE_GUARD) != guards)
            continue;
        nest_table_add(table, NEST_STYLE_PLAIN, info->id);
        nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_verdict_nicks, info->level));
        nest_table_add(table, NEST_STYLE_PLAIN, info->title != NULL ? info->title : "");
    }
    nest_table_print(table, output);
}

gboolean nest_command_checks(NestCli *cli, GError **error)
{
    g_autoptr(GPtrArray) catalogue = nest_client_checks(cli->client, cli->cancellable, error);
    if (catalogue == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    if (cli->arguments->names) {
        print_names(cli->output, catalogue);
        return TRUE;
    }
    print_table(cli->output, catalogue, FALSE);
    if (has_guards(catalogue)) {
        nest_output_end(cli->output);
        print_table(cli->output, catalogue, TRUE);
    }
    return TRUE;
}

static const NestCheckInfo *find(const GPtrArray *catalogue, const char *id, GError **error)
{
    for (guint i = 0; i < catalogue->len; i++) {
        const NestCheckInfo *info = g_ptr_array_index(catalogue, i);
        if (strcmp(info->id, id) == 0)
            return info;
    }
    nest_set_error(error, NEST_ERROR_USAGE, "see which there are: nestctl checks",
        "there is no check or guard \"%s\"", id);
    return NULL;
}

static void row(NestOutput *output, const char *label, const char *text)
{
    if (text == NULL)
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        nest_output_cell(output, NEST_STYLE_FAINT, LABEL_WIDTH, i == 0 ? label : "");
        nest_output_wrapped(output, NEST_STYLE_PLAIN, LABEL_WIDTH, lines[i]);
    }
}

gboolean nest_command_explain(NestCli *cli, GError **error)
{
    NestOutput *output = cli->output;
    g_autoptr(GPtrArray) catalogue = nest_client_checks(cli->client, cli->cancellable, error);
    if (catalogue == NULL)
        return FALSE;
    const NestCheckInfo *info = find(catalogue, cli->arguments->operands[0], error);
    if (info == NULL)
        return FALSE;
    if (nest_output_is_json(output)) {
        g_autofree char *text = nest_codec_to_text(&nest_check_info_record, info);
        nest_output_json(output, text);
        return TRUE;
    }
    nest_output_text(output, NEST_STYLE_BOLD, "%s", info->id);
    gboolean guard = info->scope == NEST_SCOPE_GUARD;
    nest_output_line(output, guard ? " guards %s" : " passes where %s",
        info->title != NULL ? info->title : "all is well");
    row(output, guard ? "rule" : "looks at", info->meaning);
    row(output, "matters", info->why);
    row(output, "worst", nest_nick(nest_verdict_nicks, info->level));
    row(output, "by hand", info->fix);
    row(output, "source", info->source);
    return TRUE;
}
