/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-job.h"
#include "nest-new-vm.h"
#include "nest-vm-files.h"

static gboolean make_files(NestJob *job, GError **error)
{
    const char *uuid = nest_job_uuid(job);
    const NestVmSpec *spec = job->request->spec;
    return nest_vm_files_make_console(job->config, uuid, error) &&
        (spec->disk_bytes == 0 ||
            nest_vm_files_make_disk(job->config, uuid, spec->disk_bytes, error));
}

static gboolean remove_files(NestJob *job, GError **error)
{
    return nest_vm_files_remove(job->config, nest_job_uuid(job), FALSE, error);
}

static gboolean define(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) then = NULL;
    return job->backend->ops->define(job->backend, job->intent->after_xml, error) &&
        job->backend->ops->read(job->backend, nest_job_uuid(job), &then, error);
}

static gboolean undefine(NestJob *job, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (job->backend->ops->undefine(job->backend, nest_job_uuid(job), &problem) ||
        nest_error_code(problem) == NEST_ERROR_VM_NOT_FOUND)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static const NestJobStep files_step = {"files", "files made", make_files, remove_files, FALSE};
static const NestJobStep define_step = {"definition", "defined", define, undefine, FALSE};

static gboolean prepare(NestJob *job, GError **error)
{
    NestVmSpec *spec = job->request->spec;
    nest_job_set_kind(job, "create");
    if (!nest_new_vm_check(spec, job->host, error))
        return FALSE;
    job->intent->operation->name = g_strdup(spec->name);
    const char *uuid = nest_job_uuid(job);
    g_autofree char *disk = nest_vm_files_disk(job->config, uuid);
    g_autofree char *console = nest_vm_files_console(job->config, uuid);
    NestNewDomain chosen = {.uuid = uuid,
        .accel = spec->accel,
        .extension = nest_new_vm_extension(spec, job->host),
        .disk_path = spec->disk_bytes > 0 ? disk : spec->disk,
        .disk_format = spec->disk_bytes > 0 ? "qcow2" : spec->disk_format,
        .console_log = console};
    job->intent->after_xml = nest_domain_new_xml(spec, &chosen);
    nest_job_add_step(job, &files_step);
    nest_job_add_step(job, &define_step);
    return TRUE;
}

static gboolean resume(NestJob *job, GError **error)
{
    job->steps[0] = &files_step;
    job->steps[1] = &define_step;
    job->n_steps = 2;
    return TRUE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    return reading != NULL ? NEST_RECOVERY_DONE : NEST_RECOVERY_UNDO;
}

const NestJobType nest_job_create = {prepare, resume, recover};
