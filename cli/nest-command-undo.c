/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-plan-view.h"
#include "nest-progress.h"
#include "nest-prompt.h"
#include "nest-quantity.h"

/* How often a plan may be outdated in a row. */
#define MAX_ROUNDS 4

typedef struct {
    NestCli *cli;
    const char *vm;
    gint64 to;
} Undoing;

/* TRUE if the answer is yes; else error says that nothing was changed. */
static gboolean ask(NestCli *cli, GError **error)
{
    for (;;) {
        g_autoptr(GArray) numbers = NULL;
        g_autofree char *answer = nest_prompt_ask(cli, "Apply? [Y]es, [N]o:", error);
        if (answer == NULL)
            return FALSE;
        NestAnswer meant = nest_prompt_parse(answer, 0, &numbers);
        if (meant == NEST_ANSWER_YES) {
            nest_output_end(cli->output);
            return TRUE;
        }
        if (meant == NEST_ANSWER_NO) {
            nest_set_error(error, NEST_ERROR_DECLINED, NULL, "Nothing has been changed.");
            return FALSE;
        }
        nest_output_line(cli->output, "Answer Y or N.");
    }
}

/* Plans with which there is nothing to ask. TRUE if this is one. */
static gboolean is_final(const Undoing *undoing, const NestPlan *plan, GError **error)
{
    NestCli *cli = undoing->cli;
    if (plan->verdict == NEST_PLAN_STEPS) {
        nest_plan_view_print(cli->output, plan, "undo this");
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
        nest_output_line(cli->output, "%s is as it was before already.", undoing->vm);
    return TRUE;
}

/* Ctrl-C is not for the request itself: whoever sent it must hear what became of it. */
static gboolean apply(
    const Undoing *undoing, const NestPlan *plan, gboolean *ret_outdated, GError **error)
{
    NestCli *cli = undoing->cli;
    NestUndoWish wish = {undoing->to, plan->hash};
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestPlan) now = NULL;
    g_autoptr(GError) cause = NULL;
    g_autofree char *done = g_strdup_printf(
        "The earlier definition of %s is back (undo: nestctl undo %s)", undoing->vm, undoing->vm);
    if (!nest_client_undo(cli->client, undoing->vm, &wish, &operation, &now, NULL, &cause)) {
        *ret_outdated = g_error_matches(cause, NEST_ERROR, NEST_ERROR_PLAN_OUTDATED);
        if (!*ret_outdated)
            g_propagate_error(error, g_steal_pointer(&cause));
        return *ret_outdated;
    }
    if (operation != NULL)
        return nest_progress_follow(cli, operation, done, error);
    if (!nest_cli_answer(cli))
        nest_output_line(cli->output, "Nothing was left to do; nothing has been changed.");
    return TRUE;
}

static gboolean one_round(const Undoing *undoing, gboolean *ret_outdated, GError **error)
{
    NestCli *cli = undoing->cli;
    NestUndoWish wish = {undoing->to, NULL};
    g_autoptr(GError) cause = NULL;
    g_autoptr(NestPlan) plan =
        nest_client_plan_undo(cli->client, undoing->vm, &wish, cli->cancellable, error);
    if (plan == NULL)
        return FALSE;
    if (is_final(undoing, plan, &cause)) {
        if (cause == NULL)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    if (!cli->arguments->yes && !ask(cli, error))
        return FALSE;
    if (g_cancellable_is_cancelled(cli->cancellable)) {
        nest_set_error(error, NEST_ERROR_DECLINED, NULL, "Nothing has been changed.");
        return FALSE;
    }
    return apply(undoing, plan, ret_outdated, error);
}

gboolean nest_command_undo(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    Undoing undoing = {cli, arguments->operands[0], 0};
    if (arguments->to != NULL &&
        !nest_quantity_parse_number("--to", arguments->to, 1, G_MAXINT64, &undoing.to, error))
        return FALSE;
    if (arguments->json && !arguments->yes && !arguments->dry_run) {
        nest_set_error(error, NEST_ERROR_USAGE, "give --yes or --dry-run too",
            "with --json there is nobody to ask; nothing has been changed");
        return FALSE;
    }
    for (guint i = 0; i < MAX_ROUNDS || !arguments->yes; i++) {
        gboolean outdated = FALSE;
        if (!one_round(&undoing, &outdated, error))
            return FALSE;
        if (!outdated)
            return TRUE;
        nest_output_line(cli->output, "%s has changed meanwhile. The plan is now:", undoing.vm);
    }
    nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "try again once it is left alone",
        "%s keeps changing; nothing has been changed by nestctl", undoing.vm);
    return FALSE;
}
