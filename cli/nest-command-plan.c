/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-definition.h"
#include "nest-error.h"
#include "nest-plan-view.h"
#include "nest-record.h"

/* Plans for definitions in files: the plan is for people and goes to stderr, the definition is for
 * whatever comes behind the pipe. */

static GStrv declined(const NestArguments *arguments)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (arguments->no_mac_spoofing) {
        g_strv_builder_add(builder, "mac-spoofing");
        g_strv_builder_add(builder, "port-isolation");
    }
    if (arguments->no_memory)
        g_strv_builder_add(builder, "memory");
    return g_strv_builder_end(builder);
}

static void show(NestCli *cli, const NestXmlPlan *made)
{
    const NestPlan *plan = &made->plan;
    const char *name = plan->name != NULL ? plan->name : "the definition";
    if (plan->verdict == NEST_PLAN_STEPS)
        nest_plan_view_print(
            cli->output, plan, plan->enable ? "enable nesting" : "disable nesting");
    else
        nest_plan_view_print_nothing(cli->output, plan, plan->enable, name);
    if (!nest_cli_answer(cli))
        nest_output_raw(cli->output, made->xml);
}

static gboolean refused(NestCli *cli, const NestPlan *plan, GError **error)
{
    nest_cli_answer(cli);
    if (plan->problem != NULL)
        nest_problem_to_error(plan->problem, error);
    else
        nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "nestd refuses without saying why");
    return FALSE;
}

gboolean nest_command_plan(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    if (arguments->xml == NULL) {
        nest_set_error(error, NEST_ERROR_USAGE, "of a VM that is defined: nestctl enable -n VM",
            "plan needs --xml with a file");
        return FALSE;
    }
    g_autofree char *xml = nest_definition_read(arguments->xml, error);
    if (xml == NULL)
        return FALSE;
    g_auto(GStrv) decline = declined(arguments);
    guint extension = NEST_EXTENSION_NONE;
    if (arguments->extension != NULL &&
        (!nest_nick_parse(nest_extension_nicks, arguments->extension, &extension) ||
            extension == NEST_EXTENSION_NONE)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help plan",
            "--extension is vmx or svm, not \"%s\"", arguments->extension);
        return FALSE;
    }
    NestXmlWish wish = {xml, !arguments->disable, decline, extension};
    g_autoptr(NestXmlPlan) made = nest_client_plan_xml(cli->client, &wish, cli->cancellable, error);
    if (made == NULL)
        return FALSE;
    if (made->plan.verdict == NEST_PLAN_REFUSED || made->xml == NULL)
        return refused(cli, &made->plan, error);
    nest_output_aside(cli->output);
    show(cli, made);
    return TRUE;
}
