/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-force.h"
#include "nest-progress.h"
#include "nest-record.h"
#include "nest-table.h"
#include "nest-text.h"

static gboolean follow(
    NestCli *cli, const NestOperation *operation, const char *done, GError **error)
{
    g_autofree char *line = g_strdup_printf(
        "%s %s", operation->name != NULL ? operation->name : cli->arguments->operands[0], done);
    return nest_progress_follow(cli, operation, line, error);
}

gboolean nest_command_checkpoint_create(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    const char *name = arguments->n_operands > 1 ? arguments->operands[1] : NULL;
    NestCheckpointWish wish = {
        (char *)name, arguments->disk_only, arguments->force, arguments->reason};
    g_autoptr(NestOperation) operation = NULL;
    return nest_force_check(arguments, error) &&
        nest_client_checkpoint(
            cli->client, arguments->operands[0], &wish, &operation, NULL, error) &&
        follow(cli, operation, "has a new checkpoint.", error);
}

gboolean nest_command_checkpoint_apply(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    NestApplyWish wish = {arguments->force, arguments->reason};
    g_autoptr(NestOperation) operation = NULL;
    return nest_force_check(arguments, error) &&
        nest_client_apply_checkpoint(cli->client, arguments->operands[0], arguments->operands[1],
            &wish, &operation, NULL, error) &&
        follow(cli, operation, "is as it was at that checkpoint.", error);
}

gboolean nest_command_checkpoint_delete(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    g_autoptr(NestOperation) operation = NULL;
    return nest_client_delete_checkpoint(cli->client, arguments->operands[0],
               arguments->operands[1], &operation, NULL, error) &&
        follow(cli, operation, "has one checkpoint less.", error);
}

static const char *memory_text(const NestCheckpoint *checkpoint)
{
    if (checkpoint->unfinished)
        return "unfinished";
    return checkpoint->memory ? "yes" : "no";
}

gboolean nest_command_checkpoint_list(NestCli *cli, GError **error)
{
    static const char *const headers[] = {"NAME", "TIME", "MEMORY", "NESTING", "CURRENT"};
    g_autoptr(GPtrArray) found =
        nest_client_checkpoints(cli->client, cli->arguments->operands[0], cli->cancellable, error);
    if (found == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < found->len; i++) {
        const NestCheckpoint *checkpoint = g_ptr_array_index(found, i);
        g_autofree char *time = nest_text_time(checkpoint->time);
        nest_table_add(table, NEST_STYLE_PLAIN, checkpoint->name);
        nest_table_add(table, NEST_STYLE_PLAIN, time);
        nest_table_add(table, NEST_STYLE_PLAIN, memory_text(checkpoint));
        nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_nesting_nicks, checkpoint->nesting));
        nest_table_add(table, NEST_STYLE_PLAIN, checkpoint->current ? "yes" : "");
    }
    if (found->len == 0)
        nest_output_line(cli->output, "There are no checkpoints.");
    else
        nest_table_print(table, cli->output);
    return TRUE;
}
