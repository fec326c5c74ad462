/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-job.h"
#include "nest-power.h"
#include "nest-vm-files.h"

/* The definition goes first, files last: they can't be brought back. Each step is fine with what
 * it removes being gone already, so that an interrupted delete is finished by doing it again. */

#define KEEP_DISKS "{\"keep_disks\":true}"

static gboolean undefine(NestJob *job, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(NestVmFacts) then = NULL;
    if (!job->backend->ops->undefine(job->backend, nest_job_uuid(job), &problem) &&
        nest_error_code(problem) != NEST_ERROR_VM_NOT_FOUND) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    g_clear_error(&problem);
    if (!job->backend->ops->read(job->backend, nest_job_uuid(job), &then, &problem)) {
        if (nest_error_code(problem) == NEST_ERROR_VM_NOT_FOUND)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL, "%s is still defined", nest_job_name(job));
    return FALSE;
}

static gboolean define_again(NestJob *job, GError **error)
{
    return job->backend->ops->define(job->backend, job->intent->before_xml, error);
}

static gboolean remove_files(NestJob *job, GError **error)
{
    gboolean keep_disk = g_strcmp0(job->intent->detail, KEEP_DISKS) == 0;
    return nest_vm_files_remove(job->config, nest_job_uuid(job), keep_disk, error);
}

static const NestJobStep undefine_step = {
    "definition", "definition removed", undefine, define_again, FALSE};
static const NestJobStep files_step = {"files", "files removed", remove_files, NULL, TRUE};

static gboolean prepare(NestJob *job, GError **error)
{
    nest_job_set_kind(job, "delete");
    if (!nest_job_read_vm(job, error))
        return FALSE;
    if (!nest_power_is_off(job->reading->facts->state)) {
        g_autofree char *next = g_strdup_printf("nestctl stop %s", nest_job_name(job));
        nest_set_error(error, NEST_ERROR_VM_STATE, next, "%s can't be deleted while it runs",
            nest_job_name(job));
        return FALSE;
    }
    job->intent->before_xml = g_strdup(job->reading->facts->xml);
    job->intent->detail = g_strdup(job->request->keep_disks ? KEEP_DISKS : "{}");
    nest_job_add_step(job, &undefine_step);
    nest_job_add_step(job, &files_step);
    return TRUE;
}

static gboolean resume(NestJob *job, GError **error)
{
    job->steps[0] = &undefine_step;
    job->steps[1] = &files_step;
    job->n_steps = 2;
    return TRUE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    return reading == NULL ? NEST_RECOVERY_FINISH : NEST_RECOVERY_UNTOUCHED;
}

const NestJobType nest_job_delete = {prepare, resume, recover};
