/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-progress.h"
#include "nest-quantity.h"
#include "nest-record.h"
#include "nest-table.h"
#include "nest-text.h"

#define DEFAULT_LIMIT 20
#define MAX_LIMIT 1000

static const NestStyle state_styles[] = {
    [NEST_OP_PENDING] = NEST_STYLE_PLAIN,
    [NEST_OP_RUNNING] = NEST_STYLE_BOLD,
    [NEST_OP_DONE] = NEST_STYLE_GOOD,
    [NEST_OP_FAILED] = NEST_STYLE_BAD,
    [NEST_OP_ROLLED_BACK] = NEST_STYLE_CAUTION,
    [NEST_OP_ABORTED] = NEST_STYLE_CAUTION,
};

static void add_operation(NestTable *table, const NestOperation *operation)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, operation->id);
    g_autofree char *created = nest_text_time(operation->created);
    g_autofree char *took = operation->finished > 0
        ? nest_text_duration(operation->finished - operation->created)
        : g_strdup("–");
    nest_table_add(table, NEST_STYLE_PLAIN, id);
    nest_table_add(table, NEST_STYLE_PLAIN, operation->kind != NULL ? operation->kind : "–");
    nest_table_add(table, NEST_STYLE_PLAIN, operation->name != NULL ? operation->name : "–");
    nest_table_add(table, state_styles[operation->state],
        nest_nick(nest_operation_state_nicks, operation->state));
    nest_table_add(table, NEST_STYLE_PLAIN, created);
    nest_table_add(table, NEST_STYLE_PLAIN, took);
}

gboolean nest_command_operations(NestCli *cli, GError **error)
{
    static const char *const headers[] = {"ID", "KIND", "VM", "STATE", "BEGUN", "TOOK"};
    gint64 limit = DEFAULT_LIMIT;
    if (cli->arguments->limit != NULL &&
        !nest_quantity_parse_number("--limit", cli->arguments->limit, 1, MAX_LIMIT, &limit, error))
        return FALSE;
    g_autoptr(GPtrArray) operations =
        nest_client_operations(cli->client, limit, cli->cancellable, error);
    if (operations == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < operations->len; i++)
        add_operation(table, g_ptr_array_index(operations, i));
    nest_table_print(table, cli->output);
    return TRUE;
}

static gboolean parse_id(NestCli *cli, gint64 *ret_id, GError **error)
{
    return nest_quantity_parse_number(
        "ID", cli->arguments->operands[0], 1, G_MAXINT64, ret_id, error);
}

static void print_problem(NestOutput *output, const NestProblem *problem)
{
    const char *text = problem->detail != NULL ? problem->detail : problem->title;
    nest_output_text(output, NEST_STYLE_BAD, "error: ");
    nest_output_wrapped(output, NEST_STYLE_PLAIN, 7, text != NULL ? text : problem->kind);
    if (problem->next == NULL)
        return;
    nest_output_text(output, NEST_STYLE_BOLD, "  next  ");
    nest_output_wrapped(output, NEST_STYLE_PLAIN, 8, problem->next);
}

gboolean nest_command_operation(NestCli *cli, GError **error)
{
    NestOutput *output = cli->output;
    gint64 id = 0;
    if (!parse_id(cli, &id, error))
        return FALSE;
    g_autoptr(NestOperation) operation =
        nest_client_operation(cli->client, id, cli->cancellable, error);
    if (operation == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    g_autofree char *created = nest_text_time(operation->created);
    g_autofree char *finished = nest_text_time(operation->finished);
    nest_output_text(output, NEST_STYLE_PLAIN, "Operation %" G_GINT64_FORMAT ": %s %s is ",
        operation->id, operation->kind != NULL ? operation->kind : "?",
        operation->name != NULL ? operation->name : "");
    nest_output_text(output, state_styles[operation->state], "%s",
        nest_nick(nest_operation_state_nicks, operation->state));
    nest_output_end(output);
    nest_output_line(output, "Begun %s by user %u (process %" G_GINT64_FORMAT "), ended %s",
        created, operation->uid, operation->pid, finished);
    nest_progress_print_steps(output, operation);
    if (operation->note != NULL)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, operation->note);
    if (operation->problem != NULL)
        print_problem(output, operation->problem);
    return TRUE;
}

gboolean nest_command_abort(NestCli *cli, GError **error)
{
    gint64 id = 0;
    if (!parse_id(cli, &id, error) || !nest_client_abort(cli->client, id, cli->cancellable, error))
        return FALSE;
    if (!nest_cli_answer(cli))
        nest_output_line(
            cli->output, "Asked to abort. How it ends: nestctl operation %" G_GINT64_FORMAT, id);
    return TRUE;
}
