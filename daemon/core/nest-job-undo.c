/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-job-steps.h"
#include "nest-undo.h"

/* The definition goes back to what it was before a revision, in the order of the nested job. */

static gboolean reached(const NestJob *job, const char *xml, GError **error)
{
    if (nest_domain_same(xml, job->intent->after_xml))
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL,
        "the earlier definition of %s was written, but reads back differently", nest_job_name(job));
    return FALSE;
}

static const NestJobStep redefine_step = {"configuration", "configuration brought back",
    nest_job_steps_define, nest_job_steps_define_original, FALSE};

static gboolean plan_is_current(NestJob *job, GError **error)
{
    const char *shown = job->request->undo->plan;
    if (shown == NULL || g_strcmp0(shown, job->plan->hash) == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "look at the new plan and decide anew",
        "%s or its host changed since the plan was made", nest_job_name(job));
    return FALSE;
}

static void add_steps(NestJob *job)
{
    nest_job_add_step(job, &redefine_step);
    if (nest_plan_item(job->plan, "power-off") != NULL)
        nest_job_add_step(job, &nest_job_steps_power_off);
    if (nest_plan_item(job->plan, "saved-state") != NULL)
        nest_job_add_step(job, &nest_job_steps_saved_state);
}

static gboolean prepare(NestJob *job, GError **error)
{
    gint64 to = job->request->undo->to;
    g_autoptr(GPtrArray) revisions = NULL;
    nest_job_set_kind(job, "undo");
    if (!nest_job_read_vm(job, error) ||
        !nest_undo_revisions(job->store, nest_job_uuid(job), to, &revisions, error))
        return FALSE;
    nest_job_look_inside(job, job->reading);
    job->plan = nest_undo_plan(&job->reading->view, revisions, to);
    if (!plan_is_current(job, error))
        return FALSE;
    if (job->plan->verdict == NEST_PLAN_REFUSED) {
        nest_problem_to_error(job->plan->problem, error);
        return FALSE;
    }
    if (job->plan->verdict == NEST_PLAN_NO_CHANGE)
        return TRUE;
    job->intent->before_xml = g_strdup(job->reading->facts->xml);
    const NestStoredRevision *target = g_ptr_array_index(revisions, revisions->len - 1);
    job->intent->after_xml = g_strdup(target->before_xml);
    add_steps(job);
    return TRUE;
}

/* Only the definition can be taken back. */
static gboolean resume(NestJob *job, GError **error)
{
    job->steps[0] = &redefine_step;
    job->n_steps = 1;
    job->touched = TRUE;
    return TRUE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading == NULL) {
        *note = "the virtual machine is gone";
        return NEST_RECOVERY_LEAVE;
    }
    if (nest_domain_same(reading->facts->xml, job->intent->before_xml))
        return NEST_RECOVERY_UNTOUCHED;
    if (!nest_domain_same(reading->facts->xml, job->intent->after_xml)) {
        *note = "the definition was changed by somebody else meanwhile, and was left alone";
        return NEST_RECOVERY_LEAVE;
    }
    gboolean off = reading->live == NULL && !reading->facts->saved_state;
    return off ? NEST_RECOVERY_DONE : NEST_RECOVERY_UNDO;
}

const NestJobType nest_job_undo = {prepare, resume, recover, reached};
