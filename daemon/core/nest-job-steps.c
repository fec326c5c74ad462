/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-job-steps.h"
#include "nest-error.h"
#include "nest-power.h"

static gboolean read_now(NestJob *job, NestVmFacts **ret_facts, GError **error)
{
    return job->backend->ops->read(job->backend, nest_job_uuid(job), ret_facts, error);
}

gboolean nest_job_steps_define(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL, then = NULL;
    if (!read_now(job, &now, error))
        return FALSE;
    if (!nest_domain_same(now->xml, job->intent->before_xml)) {
        nest_set_error(error, NEST_ERROR_VM_CHANGED, "look at it and try again",
            "%s was changed by somebody else meanwhile", nest_job_name(job));
        return FALSE;
    }
    job->touched = TRUE;
    if (!job->backend->ops->redefine(
            job->backend, nest_job_uuid(job), job->intent->after_xml, error) ||
        !read_now(job, &then, error))
        return FALSE;
    job->written = g_strdup(then->xml);
    if (!job->type->reached(job, then->xml, error))
        return FALSE;
    /* libvirt may have written it in other words, and the revision is compared with those. */
    g_free(job->intent->after_xml);
    job->intent->after_xml = g_strdup(then->xml);
    return TRUE;
}

/* What somebody else wrote after us is not ours to take back. */
static gboolean is_ours(const NestJob *job, const char *xml)
{
    return job->written != NULL ? nest_domain_same(xml, job->written)
                                : job->type->reached(job, xml, NULL);
}

gboolean nest_job_steps_define_original(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL, then = NULL;
    if (!job->touched)
        return TRUE;
    if (!read_now(job, &now, error))
        return FALSE;
    if (nest_domain_same(now->xml, job->intent->before_xml))
        return TRUE;
    if (!is_ours(job, now->xml)) {
        nest_set_error(error, NEST_ERROR_VM_CHANGED, "look at it and decide anew",
            "%s was changed by somebody else meanwhile, and was left alone", nest_job_name(job));
        return FALSE;
    }
    if (!job->backend->ops->redefine(
            job->backend, nest_job_uuid(job), job->intent->before_xml, error) ||
        !read_now(job, &then, error))
        return FALSE;
    if (nest_domain_same(then->xml, job->intent->before_xml))
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "compare it with its last revision",
        "the original definition of %s was written, but reads back differently",
        nest_job_name(job));
    return FALSE;
}

/* While the guest shut down, somebody else may have written the definition. */
static gboolean check_still_wished(const NestJob *job, const char *xml, GError **error)
{
    if (job->type->reached == NULL || job->type->reached(job, xml, NULL))
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

const NestJobStep nest_job_steps_power_off = {"power-off", "shut down", power_off, NULL, TRUE};
const NestJobStep nest_job_steps_saved_state = {
    "saved-state", "saved state removed", drop_saved_state, NULL, TRUE};
