/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-plan-view.h"
#include "nest-planned.h"
#include <string.h>

static NestPlan *get(const NestPlanned *planned, GStrv declined, GError **error)
{
    NestInstallWish wish = {.reboot = planned->cli->arguments->reboot, .decline = declined};
    return nest_client_plan_install(
        planned->cli->client, planned->vm, &wish, planned->cli->cancellable, error);
}

static gboolean set(const NestPlanned *planned, const NestPlan *plan, GStrv declined,
    NestOperation **ret_operation, GError **error)
{
    NestInstallWish wish = {plan->hash, planned->cli->arguments->reboot, declined};
    g_autoptr(NestPlan) now = NULL;
    return nest_client_install(
        planned->cli->client, planned->vm, &wish, ret_operation, &now, NULL, error);
}

static const char *name_of(const NestPlanned *planned, const NestPlan *plan)
{
    return plan->name != NULL ? plan->name : planned->vm;
}

/* What waits for a restart was shown as a note. */
static char *done(const NestPlanned *planned, const NestPlan *plan)
{
    gboolean waits = plan->warnings != NULL && *plan->warnings != NULL;
    return g_strdup_printf(waits ? "The hypervisor is installed in %s, and waits for its restart."
                                 : "%s has a hypervisor that works.",
        name_of(planned, plan));
}

static void say_nothing(const NestPlanned *planned, const NestPlan *plan)
{
    gboolean waits = plan->warnings != NULL && *plan->warnings != NULL;
    nest_output_line(planned->cli->output,
        waits ? "The hypervisor is installed in %s, and waits for its restart."
              : "%s already has a hypervisor that works.",
        name_of(planned, plan));
    nest_plan_view_print_warnings(planned->cli->output, plan);
}

gboolean nest_command_guest_install(NestCli *cli, GError **error)
{
    const char *vm = cli->arguments->operands[0];
    const NestPlanned planned = {
        cli, vm, "install a hypervisor", get, set, done, say_nothing, NULL, .vm = vm};
    return nest_planned_run(&planned, error);
}
