/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-job.h"
#include "nest-power.h"

/* Enable and disable. The definition comes first, because it can be taken back while the VM still
 * runs; what can't be taken back (powering off, the saved state) comes last. */

static gboolean same_definition(const char *a, const char *b)
{
    g_autofree char *left = nest_domain_fingerprint(a);
    g_autofree char *right = nest_domain_fingerprint(b);
    return g_strcmp0(left, right) == 0;
}

static gboolean read_now(NestJob *job, NestVmFacts **ret_facts, GError **error)
{
    return job->backend->ops->read(job->backend, nest_job_uuid(job), ret_facts, error);
}

static gboolean redefine(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL, then = NULL;
    if (!read_now(job, &now, error))
        return FALSE;
    if (!same_definition(now->xml, job->intent->before_xml)) {
        nest_set_error(error, NEST_ERROR_VM_CHANGED, "look at it and try again",
            "%s was changed by somebody else meanwhile", nest_job_name(job));
        return FALSE;
    }
    job->touched = TRUE;
    if (!job->backend->ops->define(job->backend, job->intent->after_xml, error) ||
        !read_now(job, &then, error))
        return FALSE;
    job->written = g_strdup(then->xml);
    return nest_domain_satisfies(then->xml, &job->wish, error);
}

/* What somebody else wrote after us is not ours to take back. */
static gboolean is_ours(const NestJob *job, const char *xml)
{
    return job->written != NULL ? same_definition(xml, job->written)
                                : nest_domain_satisfies(xml, &job->wish, NULL);
}

static gboolean define_original(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL, then = NULL;
    if (!job->touched)
        return TRUE;
    if (!read_now(job, &now, error))
        return FALSE;
    if (same_definition(now->xml, job->intent->before_xml))
        return TRUE;
    if (!is_ours(job, now->xml)) {
        nest_set_error(error, NEST_ERROR_VM_CHANGED, "look at it and decide anew",
            "%s was changed by somebody else meanwhile, and was left alone", nest_job_name(job));
        return FALSE;
    }
    if (!job->backend->ops->define(job->backend, job->intent->before_xml, error) ||
        !read_now(job, &then, error))
        return FALSE;
    if (same_definition(then->xml, job->intent->before_xml))
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "compare it with its last revision",
        "the original definition of %s was written, but reads back differently",
        nest_job_name(job));
    return FALSE;
}

/* While the guest shut down, somebody else may have written the definition. */
static gboolean check_still_wished(const NestJob *job, const char *xml, GError **error)
{
    if (nest_domain_satisfies(xml, &job->wish, NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_CHANGED, "look at it and try again",
        "%s was changed by somebody else meanwhile", nest_job_name(job));
    return FALSE;
}

static gboolean power_off(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) then = NULL;
    return nest_power_shut_down_or_stop(job->backend, nest_job_uuid(job),
               job->config->shutdown_timeout, job->cancellable, error) &&
        read_now(job, &then, error) && check_still_wished(job, then->xml, error);
}

static gboolean drop_saved_state(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL, then = NULL;
    if (!read_now(job, &now, error))
        return FALSE;
    if (!now->saved_state)
        return TRUE;
    if (!job->backend->ops->drop_saved_state(job->backend, nest_job_uuid(job), error) ||
        !read_now(job, &then, error))
        return FALSE;
    if (!then->saved_state)
        return check_still_wished(job, then->xml, error);
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL, "the saved state of %s is still there",
        nest_job_name(job));
    return FALSE;
}

static const NestJobStep redefine_step = {
    "configuration", "configuration changed", redefine, define_original, FALSE};
static const NestJobStep power_off_step = {"power-off", "shut down", power_off, NULL, TRUE};
static const NestJobStep saved_state_step = {
    "saved-state", "saved state removed", drop_saved_state, NULL, TRUE};

/* A plan that was shown before anything was declined is the same plan. */
static gboolean plan_is_current(NestJob *job, GError **error)
{
    const char *shown = job->request->nested->plan;
    if (shown == NULL || g_strcmp0(shown, job->plan->hash) == 0)
        return TRUE;
    g_autoptr(NestPlan) whole =
        nest_plan_make(&job->reading->view, job->request->nested->enabled, NULL);
    if (g_strcmp0(shown, whole->hash) == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "look at the new plan and decide anew",
        "%s or its host changed since the plan was made", nest_job_name(job));
    return FALSE;
}

static gboolean make_intent(NestJob *job, GError **error)
{
    job->wish = nest_plan_wish(job->plan, nest_vm_view_extension(&job->reading->view));
    job->intent->before_xml = g_strdup(job->reading->facts->xml);
    job->intent->after_xml = nest_domain_edit(job->intent->before_xml, &job->wish, error);
    job->intent->detail = nest_codec_to_text(&nest_plan_record, job->plan);
    return job->intent->after_xml != NULL;
}

static void add_steps(NestJob *job)
{
    if (g_strcmp0(job->intent->before_xml, job->intent->after_xml) != 0)
        nest_job_add_step(job, &redefine_step);
    if (nest_plan_item(job->plan, "power-off") != NULL)
        nest_job_add_step(job, &power_off_step);
    if (nest_plan_item(job->plan, "saved-state") != NULL)
        nest_job_add_step(job, &saved_state_step);
}

static gboolean prepare(NestJob *job, GError **error)
{
    const NestNestedWish *wish = job->request->nested;
    nest_job_set_kind(job, wish->enabled ? "enable" : "disable");
    if (!nest_job_read_vm(job, error))
        return FALSE;
    job->plan =
        nest_plan_make(&job->reading->view, wish->enabled, (const char *const *)wish->decline);
    if (!plan_is_current(job, error))
        return FALSE;
    if (job->plan->verdict == NEST_PLAN_REFUSED) {
        nest_problem_to_error(job->plan->problem, error);
        return FALSE;
    }
    if (job->plan->verdict == NEST_PLAN_NO_CHANGE)
        return TRUE;
    if (!make_intent(job, error))
        return FALSE;
    add_steps(job);
    return TRUE;
}

/* Only the definition can be taken back. */
static gboolean resume(NestJob *job, GError **error)
{
    job->plan =
        nest_codec_from_text(&nest_plan_record, job->intent->detail, -1, NEST_CODEC_LENIENT, error);
    if (job->plan == NULL)
        return FALSE;
    job->steps[0] = &redefine_step;
    job->n_steps = 1;
    job->touched = TRUE;
    return TRUE;
}

static gboolean is_off(const NestVmReading *reading)
{
    return reading->live == NULL && !reading->facts->saved_state;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading == NULL) {
        *note = "the virtual machine is gone";
        return NEST_RECOVERY_LEAVE;
    }
    gboolean changes = g_strcmp0(job->intent->before_xml, job->intent->after_xml) != 0;
    if (changes && same_definition(reading->facts->xml, job->intent->before_xml))
        return NEST_RECOVERY_UNTOUCHED;
    NestDomainWish wish = nest_plan_wish(job->plan, nest_vm_view_extension(&reading->view));
    if (!nest_domain_satisfies(reading->facts->xml, &wish, NULL)) {
        *note = "the definition was changed by somebody else meanwhile, and was left alone";
        return NEST_RECOVERY_LEAVE;
    }
    if (is_off(reading))
        return NEST_RECOVERY_DONE;
    if (reading->live != NULL && nest_domain_satisfies(reading->facts->live_xml, &wish, NULL)) {
        *note = "it was started with the new configuration meanwhile";
        return NEST_RECOVERY_DONE;
    }
    return changes ? NEST_RECOVERY_UNDO : NEST_RECOVERY_UNTOUCHED;
}

const NestJobType nest_job_nested = {prepare, resume, recover};
