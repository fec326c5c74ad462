/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-job-steps.h"

/* Enable and disable. The definition comes first, because it can be taken back while the VM still
 * runs; what can't be taken back (powering off, the saved state) comes last. */

static const NestJobStep redefine_step = {"configuration", "configuration changed",
    nest_job_steps_define, nest_job_steps_define_original, FALSE};

/* That the operation is recorded is all: the end of it marks the definition as nestd's own. */
static gboolean accept_drift(NestJob *job, GError **error)
{
    return TRUE;
}

static const NestJobStep accept_step = {
    "drift", "change by somebody else accepted", accept_drift, NULL, FALSE};

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
    job->wish = nest_plan_wish_for(job->plan, &job->reading->view);
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
        nest_job_add_step(job, &nest_job_steps_power_off);
    if (nest_plan_item(job->plan, "saved-state") != NULL)
        nest_job_add_step(job, &nest_job_steps_saved_state);
    if (nest_plan_item(job->plan, "drift") != NULL)
        nest_job_add_step(job, &accept_step);
}

static gboolean prepare(NestJob *job, GError **error)
{
    const NestNestedWish *wish = job->request->nested;
    nest_job_set_kind(job, wish->enabled ? "enable" : "disable");
    if (!nest_job_read_vm(job, error))
        return FALSE;
    nest_job_look_inside(job, job->reading);
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
    if (job->reading != NULL)
        job->wish = nest_plan_wish_for(job->plan, &job->reading->view);
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
    if (changes && nest_domain_same(reading->facts->xml, job->intent->before_xml))
        return NEST_RECOVERY_UNTOUCHED;
    NestDomainWish wish = nest_plan_wish_for(job->plan, &reading->view);
    if (!nest_domain_satisfies(reading->facts->xml, &wish, NULL)) {
        *note = "the definition was changed by somebody else meanwhile, and was left alone";
        return NEST_RECOVERY_LEAVE;
    }
    if (is_off(reading))
        return NEST_RECOVERY_DONE;
    if (reading->live != NULL && nest_domain_satisfies(reading->facts->live_xml, &wish, NULL)) {
        if (changes)
            *note = "it was started with the new configuration meanwhile";
        return NEST_RECOVERY_DONE;
    }
    return changes ? NEST_RECOVERY_UNDO : NEST_RECOVERY_UNTOUCHED;
}

static gboolean reached(const NestJob *job, const char *xml, GError **error)
{
    return nest_domain_satisfies(xml, &job->wish, error);
}

const NestJobType nest_job_nested = {prepare, resume, recover, reached};
