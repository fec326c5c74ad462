/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-plan-view.h"
#include "nest-planned.h"

static NestPlan *get(const NestPlanned *planned, GStrv declined, GError **error)
{
    NestHostWish wish = {NULL, declined};
    return nest_client_plan_host(planned->cli->client, &wish, planned->cli->cancellable, error);
}

static gboolean set(const NestPlanned *planned, const NestPlan *plan, GStrv declined,
    NestOperation **ret_operation, GError **error)
{
    NestHostWish wish = {plan->hash, declined};
    g_autoptr(NestPlan) now = NULL;
    return nest_client_fix_host(planned->cli->client, &wish, ret_operation, &now, NULL, error);
}

/* What is left to a person was shown as notes. */
static char *done(const NestPlanned *planned, const NestPlan *plan)
{
    return g_strdup(plan->enable
            ? "The host is set up for nesting (undo: nestctl host undo)"
            : "What can be done now is done; nesting is still off (undo: nestctl host undo)");
}

static void say_nothing(const NestPlanned *planned, const NestPlan *plan)
{
    nest_plan_view_print_nothing(planned->cli->output, plan, TRUE, "The host");
}

gboolean nest_command_host_fix(NestCli *cli, GError **error)
{
    const NestPlanned planned = {
        cli, "The host", "set up nesting", get, set, done, say_nothing, NULL};
    return nest_planned_run(&planned, error);
}
