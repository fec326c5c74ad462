/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-plan-view.h"
#include "nest-progress.h"
#include "nest-prompt.h"
#include "nest-record.h"
#include <string.h>

typedef struct {
    const NestVmSummary *vm; /* borrowed */
    const char *reason;
    NestPlan *plan; /* to close it */
    NestOperation *operation; /* that closes it, once it has ended; of JSON only */
    GError *problem; /* why it is not closed; NULL: it is, or that was not tried */
} Finding;

static void finding_free(gpointer data)
{
    Finding *finding = data;
    nest_plan_free(finding->plan);
    nest_operation_free(finding->operation);
    g_clear_error(&finding->problem);
    g_free(finding);
}

/* Why nobody asked for it, NULL where somebody did. */
static const char *unasked(const NestVmSummary *vm)
{
    if (vm->nesting == NEST_NESTING_OFF)
        return NULL;
    if (vm->nesting == NEST_NESTING_IMPLICIT)
        return "its CPU may pass the extension on though nobody asked for it";
    if (vm->asked)
        return NULL;
    return "its definition asks for the extension, and nestd was not asked to enable it";
}

/* *ret_finding is NULL where there is nothing to find. */
static gboolean look(NestCli *cli, const NestVmSummary *vm, Finding **ret_finding, GError **error)
{
    NestNestedWish wish = {.enabled = FALSE};
    const char *reason = unasked(vm);
    *ret_finding = NULL;
    if (reason == NULL)
        return TRUE;
    NestPlan *plan = nest_client_plan(cli->client, vm->uuid, &wish, cli->cancellable, error);
    if (plan == NULL)
        return FALSE;
    *ret_finding = g_new(Finding, 1);
    **ret_finding = (Finding){vm, reason, plan, NULL, NULL};
    return TRUE;
}

/* Those of vms that are to be told. What went away meanwhile is none. */
static GPtrArray *look_at_all(NestCli *cli, const GPtrArray *vms, GError **error)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(finding_free);
    for (guint i = 0; i < vms->len; i++) {
        g_autoptr(GError) cause = NULL;
        Finding *finding = NULL;
        if (!look(cli, g_ptr_array_index(vms, i), &finding, &cause) &&
            !g_error_matches(cause, NEST_ERROR, NEST_ERROR_VM_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        if (finding != NULL)
            g_ptr_array_add(findings, finding);
    }
    return g_steal_pointer(&findings);
}

static json_t *encode_or_null(const NestRecord *record, gconstpointer value)
{
    return value != NULL ? nest_codec_encode(record, value) : json_null();
}

/* closed: with what came of closing them. */
static void print_json(NestOutput *output, const GPtrArray *findings, gboolean closed)
{
    g_autoptr(json_t) list = json_array();
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = g_ptr_array_index(findings, i);
        json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "uuid", finding->vm->uuid, "name",
            finding->vm->name, "reason", finding->reason, "plan",
            nest_codec_encode(&nest_plan_record, finding->plan));
        g_autoptr(NestProblem) problem =
            finding->problem != NULL ? nest_problem_from_error(finding->problem) : NULL;
        if (closed) {
            json_object_set_new(object, "closed", json_boolean(problem == NULL));
            json_object_set_new(
                object, "operation", encode_or_null(&nest_operation_record, finding->operation));
            json_object_set_new(object, "problem", encode_or_null(&nest_problem_record, problem));
        }
        json_array_append_new(list, object);
    }
    g_autoptr(json_t) document = json_pack("{s:O}", "findings", list);
    char *text = json_dumps(document, JSON_COMPACT);
    nest_output_json(output, text);
    free(text);
}

static void print(NestOutput *output, const Finding *finding)
{
    nest_output_text(output, NEST_STYLE_BOLD, "%s", finding->vm->name);
    nest_output_text(output, NEST_STYLE_PLAIN, ": ");
    nest_output_wrapped(output, NEST_STYLE_PLAIN, 4, finding->reason);
    if (finding->plan->verdict == NEST_PLAN_STEPS)
        nest_plan_view_print(output, finding->plan, "disable nesting");
    nest_output_end(output);
}

/* In JSON mode nothing but the whole is printed. */
static gboolean follow(
    NestCli *cli, Finding *finding, const NestOperation *operation, GError **error)
{
    g_autofree char *done = g_strdup_printf(
        "%s does not nest any more (undo: nestctl undo %s)", finding->vm->name, finding->vm->name);
    if (!nest_output_is_json(cli->output))
        return nest_progress_follow(cli, operation, done, error);
    finding->operation =
        nest_client_follow(cli->client, operation, NULL, NULL, cli->cancellable, error);
    if (finding->operation == NULL || finding->operation->state == NEST_OP_DONE)
        return finding->operation != NULL;
    if (finding->operation->problem != NULL)
        nest_problem_to_error(finding->operation->problem, error);
    else
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "it was not carried out");
    return FALSE;
}

/* By the plan that was shown: where that is not true any more, nothing is done. */
static gboolean close_one(NestCli *cli, Finding *finding, GError **error)
{
    NestNestedWish wish = {.enabled = FALSE, .plan = finding->plan->hash};
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestPlan) now = NULL;
    if (g_cancellable_is_cancelled(cli->cancellable)) {
        nest_set_error(error, NEST_ERROR_DECLINED, NULL, "it was not begun any more");
        return FALSE;
    }
    if (!nest_client_set_nested(
            cli->client, finding->vm->uuid, &wish, &operation, &now, NULL, error))
        return FALSE;
    return operation == NULL || follow(cli, finding, operation, error);
}

/* Each by itself: what fails is told, and the next one is tried. The number left open. */
static guint close_all(NestCli *cli, const GPtrArray *findings)
{
    guint open = 0;
    for (guint i = 0; i < findings->len; i++) {
        Finding *finding = g_ptr_array_index(findings, i);
        nest_output_line(cli->output, "%s:", finding->vm->name);
        if (close_one(cli, finding, &finding->problem))
            continue;
        if (!nest_output_is_json(cli->output))
            nest_output_error(cli->output, finding->problem);
        open++;
    }
    return open;
}

/* The exit status says it too: a check failed. */
static gboolean tell(NestCli *cli, guint open, GError **error)
{
    const char *next = "nestctl audit --close; or, where it is wanted: nestctl enable VM";
    if (open == 0)
        return TRUE;
    g_autofree char *text = g_strdup_printf(
        "%u virtual machine%s can nest though nobody asked", open, open == 1 ? "" : "s");
    nest_output_line(cli->output, "%s. What to do: %s", text, next);
    nest_set_error(error, NEST_ERROR_CHECK_FAILED, next, "%s", text);
    return FALSE;
}

/* All plans are shown, then one question is asked about them. */
static gboolean close_findings(NestCli *cli, const GPtrArray *findings, GError **error)
{
    if (findings->len > 0 && !cli->arguments->yes &&
        !nest_prompt_confirm(cli, "Do all of this? [Y]es, [N]o:", error))
        return FALSE;
    guint open = close_all(cli, findings);
    if (cli->arguments->json)
        print_json(cli->output, findings, TRUE);
    return tell(cli, open, error);
}

gboolean nest_command_audit(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    if (arguments->close && arguments->json && !arguments->yes) {
        nest_set_error(error, NEST_ERROR_USAGE, "give --yes too",
            "with --json there is nobody to ask; nothing has been changed");
        return FALSE;
    }
    g_autoptr(GPtrArray) vms = nest_client_vms(cli->client, cli->cancellable, error);
    if (vms == NULL)
        return FALSE;
    g_autoptr(GPtrArray) findings = look_at_all(cli, vms, error);
    if (findings == NULL)
        return FALSE;
    for (guint i = 0; i < findings->len && !arguments->json; i++)
        print(cli->output, g_ptr_array_index(findings, i));
    if (findings->len == 0 && !arguments->json)
        nest_output_line(cli->output, "No virtual machine can nest without being asked to.");
    if (arguments->close)
        return close_findings(cli, findings, error);
    if (arguments->json)
        print_json(cli->output, findings, FALSE);
    return tell(cli, findings->len, error);
}
