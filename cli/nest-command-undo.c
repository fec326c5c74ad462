/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-plan-view.h"
#include "nest-planned.h"
#include "nest-quantity.h"

static NestPlan *get(const NestPlanned *planned, GStrv declined, GError **error)
{
    NestUndoWish wish = {planned->to, NULL};
    return nest_client_plan_undo(
        planned->cli->client, planned->vm, &wish, planned->cli->cancellable, error);
}

static gboolean set(const NestPlanned *planned, const NestPlan *plan, GStrv declined,
    NestOperation **ret_operation, GError **error)
{
    NestUndoWish wish = {planned->to, plan->hash};
    g_autoptr(NestPlan) now = NULL;
    return nest_client_undo(
        planned->cli->client, planned->vm, &wish, ret_operation, &now, NULL, error);
}

static char *done(const NestPlanned *planned, const NestPlan *plan)
{
    return planned->vm == NULL
        ? g_strdup("The host is as it was before (undo: nestctl host undo)")
        : g_strdup_printf("The earlier definition of %s is back (undo: nestctl undo %s)",
              planned->vm, planned->vm);
}

static void say_nothing(const NestPlanned *planned, const NestPlan *plan)
{
    nest_output_line(planned->cli->output, "%s is as it was before already.", planned->subject);
    nest_plan_view_print_warnings(planned->cli->output, plan);
}

static gboolean undo(NestCli *cli, const char *vm, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    NestPlanned planned = {cli, vm != NULL ? vm : "The host", "undo this", get, set, done,
        say_nothing, NULL, .vm = vm};
    if (arguments->to != NULL &&
        !nest_quantity_parse_number("--to", arguments->to, 1, G_MAXINT64, &planned.to, error))
        return FALSE;
    return nest_planned_run(&planned, error);
}

gboolean nest_command_undo(NestCli *cli, GError **error)
{
    return undo(cli, cli->arguments->operands[0], error);
}

gboolean nest_command_host_undo(NestCli *cli, GError **error)
{
    return undo(cli, NULL, error);
}
