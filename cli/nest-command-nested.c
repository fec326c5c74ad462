/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-plan-view.h"
#include "nest-planned.h"
#include <string.h>

static NestPlan *get(const NestPlanned *planned, GStrv declined, GError **error)
{
    NestNestedWish wish = {.enabled = planned->enable, .decline = declined};
    return nest_client_plan(
        planned->cli->client, planned->vm, &wish, planned->cli->cancellable, error);
}

static gboolean set(const NestPlanned *planned, const NestPlan *plan, GStrv declined,
    NestOperation **ret_operation, GError **error)
{
    NestNestedWish wish = {planned->enable, plan->hash, declined};
    g_autoptr(NestPlan) now = NULL;
    return nest_client_set_nested(
        planned->cli->client, planned->vm, &wish, ret_operation, &now, NULL, error);
}

static const char *name_of(const NestPlanned *planned, const NestPlan *plan)
{
    return plan->name != NULL ? plan->name : planned->vm;
}

static char *done(const NestPlanned *planned, const NestPlan *plan)
{
    const char *name = name_of(planned, plan);
    return g_strdup_printf(planned->enable
            ? "%s is set up for nesting. Start it with: nestctl start %s (undo: nestctl undo %s)"
            : "%s does not nest any more. Start it with: nestctl start %s (undo: nestctl undo %s)",
        name, name, name);
}

static void say_nothing(const NestPlanned *planned, const NestPlan *plan)
{
    nest_plan_view_print_nothing(
        planned->cli->output, plan, planned->enable, name_of(planned, plan));
}

static GStrv decline(const NestPlanned *planned, const NestPlan *plan)
{
    const NestArguments *arguments = planned->cli->arguments;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; i < plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(plan->items, i);
        if (!item->optional || item->id == NULL)
            continue;
        if ((arguments->no_mac_spoofing &&
                (strcmp(item->id, "mac-spoofing") == 0 ||
                    strcmp(item->id, "port-isolation") == 0)) ||
            (arguments->no_memory && strcmp(item->id, "memory") == 0))
            g_strv_builder_add(builder, item->id);
    }
    return g_strv_builder_end(builder);
}

static gboolean set_nested(NestCli *cli, const char *vm, gboolean enable, GError **error)
{
    const NestPlanned planned = {cli, vm, enable ? "enable nesting" : "disable nesting", get, set,
        done, say_nothing, decline, .vm = vm, .enable = enable};
    return nest_planned_run(&planned, error);
}

gboolean nest_command_enable(NestCli *cli, GError **error)
{
    return set_nested(cli, cli->arguments->operands[0], TRUE, error);
}

gboolean nest_command_disable(NestCli *cli, GError **error)
{
    return set_nested(cli, cli->arguments->operands[0], FALSE, error);
}
