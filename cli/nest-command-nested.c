/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-plan-view.h"
#include "nest-progress.h"
#include "nest-prompt.h"
#include "nest-record.h"
#include <string.h>

/* How often a plan may be outdated in a row: with --yes nobody is there to see it go on. */
#define MAX_ROUNDS 4

typedef struct {
    NestCli *cli;
    const char *vm;
    gboolean enable;
} Nesting;

typedef enum {
    ROUND_ENDED, /* with or without error */
    ROUND_OUTDATED /* the plan is not true any more */
} Round;

static NestPlan *get_plan(const Nesting *nesting, GStrv declined, GError **error)
{
    NestNestedWish wish = {.enabled = nesting->enable, .decline = declined};
    return nest_client_plan(
        nesting->cli->client, nesting->vm, &wish, nesting->cli->cancellable, error);
}

/* The optional items of plan that the options leave out. */
static GStrv declined_by_options(const NestArguments *arguments, const NestPlan *plan)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; i < plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(plan->items, i);
        if (!item->optional || item->id == NULL)
            continue;
        if ((arguments->no_mac_spoofing && strcmp(item->id, "mac-spoofing") == 0) ||
            (arguments->no_memory && strcmp(item->id, "memory") == 0))
            g_strv_builder_add(builder, item->id);
    }
    return g_strv_builder_end(builder);
}

/* The ids behind numbers; NULL, and it says so, where one of them can't be left out. */
static GStrv declined_by_numbers(NestOutput *output, const NestPlan *plan, const GArray *numbers)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; i < numbers->len; i++) {
        guint number = g_array_index(numbers, guint, i);
        const NestPlanItem *item = nest_plan_view_item(plan, number - 1);
        if (!item->optional) {
            nest_output_line(output,
                "%u (%s) is needed and can't be left out; answer N to change nothing.", number,
                item->title != NULL ? item->title : item->id);
            return NULL;
        }
        g_strv_builder_add(builder, item->id);
    }
    return g_strv_builder_end(builder);
}

static const char *question(const NestPlan *plan, gboolean *ret_numbers)
{
    const NestPlanItem *last = nest_plan_view_item(plan, plan->items->len - 1);
    *ret_numbers = last != NULL && last->optional;
    return *ret_numbers ? "Apply? [Y]es, [N]o, or the numbers of optional items to leave out:"
                        : "Apply? [Y]es, [N]o:";
}

/* Asks until there is an answer. *ret_declined: what to leave out. */
static gboolean ask(NestCli *cli, const NestPlan *plan, GStrv *ret_declined, GError **error)
{
    gboolean with_numbers = FALSE;
    const char *text = question(plan, &with_numbers);
    for (;;) {
        g_autoptr(GArray) numbers = NULL;
        g_autofree char *answer = nest_prompt_ask(cli, text, error);
        if (answer == NULL)
            return FALSE;
        switch (nest_prompt_parse(answer, plan->items->len, &numbers)) {
        case NEST_ANSWER_YES:
            *ret_declined = g_new0(char *, 1);
            return TRUE;
        case NEST_ANSWER_NO:
            nest_set_error(error, NEST_ERROR_DECLINED, NULL, "Nothing has been changed.");
            return FALSE;
        case NEST_ANSWER_NUMBERS:
            *ret_declined = declined_by_numbers(cli->output, plan, numbers);
            if (*ret_declined != NULL)
                return TRUE;
            break;
        case NEST_ANSWER_OTHER:
            nest_output_line(cli->output, "Answer Y, N%s.",
                with_numbers ? ", or the numbers of optional items, as in the list" : "");
        }
    }
}

/* Sends the wish for plan. Ctrl-C is not for the request itself: whoever sent it must hear what
 * became of it; following then asks to abort. */
static Round apply(const Nesting *nesting, const NestPlan *plan, GStrv declined, GError **error)
{
    NestCli *cli = nesting->cli;
    NestNestedWish wish = {nesting->enable, plan->hash, declined};
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestPlan) now = NULL;
    g_autoptr(GError) cause = NULL;
    const char *name = plan->name != NULL ? plan->name : nesting->vm;
    g_autofree char *done = g_strdup_printf(nesting->enable
            ? "%s is set up for nesting. Start it with: nestctl start %s (undo: nestctl undo %s)"
            : "%s does not nest any more. Start it with: nestctl start %s (undo: nestctl undo %s)",
        name, name, name);
    if (!nest_client_set_nested(cli->client, nesting->vm, &wish, &operation, &now, NULL, &cause)) {
        if (g_error_matches(cause, NEST_ERROR, NEST_ERROR_PLAN_OUTDATED))
            return ROUND_OUTDATED;
        g_propagate_error(error, g_steal_pointer(&cause));
        return ROUND_ENDED;
    }
    if (operation != NULL)
        nest_progress_follow(cli, operation, done, error);
    else if (!nest_cli_answer(cli))
        nest_output_line(cli->output, "Nothing was left to do; nothing has been changed.");
    return ROUND_ENDED;
}

/* The question, then plan without what is left out. *ret_plan NULL: it is outdated. */
static gboolean agree(const Nesting *nesting, const NestPlan *shown, GStrv *declined,
    NestPlan **ret_plan, GError **error)
{
    NestCli *cli = nesting->cli;
    g_auto(GStrv) more = NULL;
    if (!cli->arguments->yes && !ask(cli, shown, &more, error))
        return FALSE;
    if (g_cancellable_is_cancelled(cli->cancellable)) {
        nest_set_error(error, NEST_ERROR_DECLINED, NULL, "Nothing has been changed.");
        return FALSE;
    }
    if (!cli->arguments->yes)
        nest_output_end(cli->output);
    if (more == NULL || more[0] == NULL) {
        *ret_plan = nest_record_copy(&nest_plan_record, shown);
        return TRUE;
    }
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_strv_builder_addv(all, (const char **)*declined);
    g_strv_builder_addv(all, (const char **)more);
    g_strfreev(*declined);
    *declined = g_strv_builder_end(all);
    g_autoptr(NestPlan) plan = get_plan(nesting, *declined, error);
    if (plan == NULL)
        return FALSE;
    if (nest_plan_view_same(shown, (const char *const *)more, plan))
        *ret_plan = g_steal_pointer(&plan);
    return TRUE;
}

/* The plan to show: what the options leave out is not in it. */
static NestPlan *first_plan(const Nesting *nesting, GStrv *ret_declined, GError **error)
{
    g_autoptr(NestPlan) plan = get_plan(nesting, NULL, error);
    if (plan == NULL)
        return NULL;
    g_auto(GStrv) declined = declined_by_options(nesting->cli->arguments, plan);
    if (declined[0] != NULL) {
        nest_plan_free(plan);
        plan = get_plan(nesting, declined, error);
        if (plan == NULL)
            return NULL;
    }
    *ret_declined = g_steal_pointer(&declined);
    return g_steal_pointer(&plan);
}

/* Plans with which there is nothing to ask. TRUE if this is one. */
static gboolean is_final(const Nesting *nesting, const NestPlan *plan, GError **error)
{
    NestCli *cli = nesting->cli;
    const char *name = plan->name != NULL ? plan->name : nesting->vm;
    if (plan->verdict == NEST_PLAN_STEPS) {
        nest_plan_view_print(
            cli->output, plan, nesting->enable ? "enable nesting" : "disable nesting");
        if (cli->arguments->dry_run && !nest_cli_answer(cli))
            nest_output_line(cli->output, "Nothing has been changed (--dry-run).");
        return cli->arguments->dry_run;
    }
    nest_cli_answer(cli);
    if (plan->verdict == NEST_PLAN_REFUSED && plan->problem != NULL)
        nest_problem_to_error(plan->problem, error);
    else if (plan->verdict == NEST_PLAN_REFUSED)
        nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "nestd refuses without saying why");
    else if (nesting->enable)
        nest_output_line(cli->output, "%s is already set up for nesting.", name);
    else
        nest_output_line(cli->output, "Nesting is already off in %s.", name);
    return TRUE;
}

static Round one_round(const Nesting *nesting, GError **error)
{
    g_auto(GStrv) declined = NULL;
    g_autoptr(NestPlan) agreed = NULL;
    g_autoptr(NestPlan) plan = first_plan(nesting, &declined, error);
    if (plan == NULL || is_final(nesting, plan, error))
        return ROUND_ENDED;
    if (!agree(nesting, plan, &declined, &agreed, error))
        return ROUND_ENDED;
    if (agreed == NULL)
        return ROUND_OUTDATED;
    return apply(nesting, agreed, declined, error);
}

gboolean nest_command_set_nested(NestCli *cli, const char *vm, gboolean enable, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    Nesting nesting = {cli, vm, enable};
    g_autoptr(GError) cause = NULL;
    if (arguments->json && !arguments->yes && !arguments->dry_run) {
        nest_set_error(error, NEST_ERROR_USAGE, "give --yes or --dry-run too",
            "with --json there is nobody to ask; nothing has been changed");
        return FALSE;
    }
    for (guint i = 0; i < MAX_ROUNDS || !arguments->yes; i++) {
        if (one_round(&nesting, &cause) == ROUND_ENDED) {
            if (cause == NULL)
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        nest_output_line(cli->output, "%s has changed meanwhile. The plan is now:", nesting.vm);
    }
    nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "try again once it is left alone",
        "%s keeps changing; nothing has been changed by nestctl", nesting.vm);
    return FALSE;
}

gboolean nest_command_enable(NestCli *cli, GError **error)
{
    return nest_command_set_nested(cli, cli->arguments->operands[0], TRUE, error);
}

gboolean nest_command_disable(NestCli *cli, GError **error)
{
    return nest_command_set_nested(cli, cli->arguments->operands[0], FALSE, error);
}
