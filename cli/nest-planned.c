/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-planned.h"
#include "nest-error.h"
#include "nest-plan-view.h"
#include "nest-progress.h"
#include "nest-prompt.h"
#include "nest-record.h"
#include <string.h>

/* How often a plan may be outdated in a row: with --yes nobody is there to see it go on. */
#define MAX_ROUNDS 4

typedef enum {
    ROUND_ENDED, /* with or without error */
    ROUND_OUTDATED /* the plan is not true any more */
} Round;

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
            nest_output_line(cli->output, "Answer Y%s.",
                with_numbers ? ", N, or the numbers of optional items, as in the list" : " or N");
        }
    }
}

/* What the options leave out. */
static GStrv declined_by_options(const NestPlanned *planned, const NestPlan *plan)
{
    return planned->decline != NULL ? planned->decline(planned, plan) : g_new0(char *, 1);
}

/* Sends the wish for plan. Ctrl-C is not for the request itself: whoever sent it must hear what
 * became of it; following then asks to abort. */
static Round apply(const NestPlanned *planned, const NestPlan *plan, GStrv declined, GError **error)
{
    NestCli *cli = planned->cli;
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(GError) cause = NULL;
    g_autofree char *done = planned->done(planned, plan);
    if (!planned->set(planned, plan, declined, &operation, &cause)) {
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
static gboolean agree(const NestPlanned *planned, const NestPlan *shown, GStrv *declined,
    NestPlan **ret_plan, GError **error)
{
    NestCli *cli = planned->cli;
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
    g_autoptr(NestPlan) plan = planned->get(planned, *declined, error);
    if (plan == NULL)
        return FALSE;
    if (nest_plan_view_same(shown, (const char *const *)more, plan))
        *ret_plan = g_steal_pointer(&plan);
    return TRUE;
}

/* The plan to show: what the options leave out is not in it, nor what was declined already (taken
 * over, nullable). */
static NestPlan *first_plan(
    const NestPlanned *planned, GStrv already, GStrv *ret_declined, GError **error)
{
    if (already != NULL) {
        *ret_declined = already;
        return planned->get(planned, already, error);
    }
    g_autoptr(NestPlan) plan = planned->get(planned, NULL, error);
    if (plan == NULL)
        return NULL;
    g_auto(GStrv) declined = declined_by_options(planned, plan);
    if (declined[0] != NULL) {
        nest_plan_free(plan);
        plan = planned->get(planned, declined, error);
        if (plan == NULL)
            return NULL;
    }
    *ret_declined = g_steal_pointer(&declined);
    return g_steal_pointer(&plan);
}

/* Plans with which there is nothing to ask. TRUE if this is one. */
static gboolean is_final(const NestPlanned *planned, const NestPlan *plan, GError **error)
{
    NestCli *cli = planned->cli;
    if (plan->verdict == NEST_PLAN_STEPS) {
        nest_plan_view_print(cli->output, plan, planned->aim);
        if (cli->arguments->dry_run && !nest_cli_answer(cli))
            nest_output_line(cli->output, "Nothing has been changed (--dry-run).");
        return cli->arguments->dry_run;
    }
    nest_cli_answer(cli);
    if (plan->verdict == NEST_PLAN_REFUSED && plan->problem != NULL)
        nest_problem_to_error(plan->problem, error);
    else if (plan->verdict == NEST_PLAN_REFUSED)
        nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "nestd refuses without saying why");
    else
        planned->say_nothing(planned, plan);
    return TRUE;
}

/* kept: what was declined where that makes another plan, from one round to the next. */
static Round one_round(const NestPlanned *planned, GStrv *kept, GError **error)
{
    g_auto(GStrv) declined = NULL;
    g_autoptr(NestPlan) agreed = NULL;
    g_autoptr(NestPlan) plan = first_plan(planned, g_steal_pointer(kept), &declined, error);
    if (plan == NULL || is_final(planned, plan, error))
        return ROUND_ENDED;
    if (!agree(planned, plan, &declined, &agreed, error))
        return ROUND_ENDED;
    if (agreed == NULL) {
        *kept = g_steal_pointer(&declined);
        return ROUND_OUTDATED;
    }
    return apply(planned, agreed, declined, error);
}

gboolean nest_planned_run(const NestPlanned *planned, GError **error)
{
    NestCli *cli = planned->cli;
    const NestArguments *arguments = cli->arguments;
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) kept = NULL;
    if (arguments->json && !arguments->yes && !arguments->dry_run) {
        nest_set_error(error, NEST_ERROR_USAGE, "give --yes or --dry-run too",
            "with --json there is nobody to ask; nothing has been changed");
        return FALSE;
    }
    for (guint i = 0; i < MAX_ROUNDS || !arguments->yes; i++) {
        if (one_round(planned, &kept, &cause) == ROUND_ENDED) {
            if (cause == NULL)
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        nest_output_line(
            cli->output, "%s has changed meanwhile. The plan is now:", planned->subject);
    }
    nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "try again once it is left alone",
        "%s keeps changing; nothing has been changed by nestctl", planned->subject);
    return FALSE;
}
