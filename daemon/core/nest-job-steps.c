/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-job-steps.h"
#include "nest-error.h"
#include "nest-guard.h"
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

/* A VM that guard.stop protects may only shut down by itself. What counts is what it does by now:
 * since the job was prepared it may have begun to host others, or have been started anew. */
static gboolean may_be_stopped(NestJob *job)
{
    g_autoptr(NestVmReading) now =
        nest_vm_reading_take(job->backend, job->host, job->marks, nest_job_uuid(job), NULL);
    if (now == NULL)
        return FALSE;
    if (now->live == NULL)
        return TRUE;
    nest_job_look_inside(job, now);
    g_autoptr(NestGuardVerdict) verdict =
        nest_guard_judge(NEST_GUARD_STOP, &now->view, job->config->parity);
    return verdict->say < NEST_SAY_REFUSE;
}

static void refuse_paused(const NestJob *job, GError **error)
{
    g_autofree char *next =
        g_strdup_printf("nestctl resume %s, then try again", nest_job_name(job));
    nest_set_error(error, NEST_ERROR_VM_STATE, next,
        "%s is paused and may host other VMs: it can't shut down, and was not powered off",
        nest_job_name(job));
}

static void refuse_stop(const NestJob *job, GError **error)
{
    const char *name = nest_job_name(job);
    g_autofree char *next =
        g_strdup_printf("nestctl stop %s --force --reason TEXT, then try again", name);
    nest_set_error(error, NEST_ERROR_TIMEOUT, next,
        "%s was asked to shut down and still runs after %u s; it may host other VMs, so it was "
        "not powered off",
        name, job->config->shutdown_timeout);
}

/* Its CPUs must run for it to hear. Where it can't be told to, or takes too long: powered off. */
static gboolean turn_off(NestJob *job, NestVmState state, GError **error)
{
    g_autoptr(GError) problem = NULL;
    gboolean asked = state != NEST_VM_PAUSED && state != NEST_VM_CRASHED;
    if (asked &&
        nest_power_shut_down(job->backend, nest_job_uuid(job), job->config->shutdown_timeout,
            job->cancellable, &problem))
        return TRUE;
    gboolean aborted = g_error_matches(problem, NEST_ERROR, NEST_ERROR_ABORTED);
    if (!aborted && (state == NEST_VM_CRASHED || may_be_stopped(job)))
        return nest_power_stop(job->backend, nest_job_uuid(job), error);
    if (!asked)
        refuse_paused(job, error);
    else if (nest_error_code(problem) == NEST_ERROR_TIMEOUT)
        refuse_stop(job, error);
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static gboolean power_off(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL, then = NULL;
    if (!read_now(job, &now, error) ||
        (!nest_power_is_off(now->state) && !turn_off(job, now->state, error)))
        return FALSE;
    return read_now(job, &then, error) && check_still_wished(job, then->xml, error);
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
