/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-job.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-record.h"
#include <string.h>

static const NestJobType *const types[] = {
    [NEST_JOB_NESTED] = &nest_job_nested,
    [NEST_JOB_UNDO] = &nest_job_undo,
    [NEST_JOB_STATE] = &nest_job_state,
    [NEST_JOB_RESTART] = &nest_job_restart,
    [NEST_JOB_MEMORY] = &nest_job_memory,
    [NEST_JOB_CHECKPOINT] = &nest_job_checkpoint,
    [NEST_JOB_MIGRATE] = &nest_job_migrate,
    [NEST_JOB_CREATE] = &nest_job_create,
    [NEST_JOB_DELETE] = &nest_job_delete,
    [NEST_JOB_TRUST] = &nest_job_trust,
    [NEST_JOB_UNFIT] = &nest_job_unfit,
    [NEST_JOB_INNER] = &nest_job_inner,
    [NEST_JOB_INSTALL] = &nest_job_install,
    [NEST_JOB_HOST_FIX] = &nest_job_host_fix,
    [NEST_JOB_HOST_UNDO] = &nest_job_host_undo,
};

static const struct {
    const char *kind;
    NestJobKind job;
} kinds[] = {
    {"enable", NEST_JOB_NESTED},
    {"disable", NEST_JOB_NESTED},
    {"undo", NEST_JOB_UNDO},
    {"start", NEST_JOB_STATE},
    {"shutdown", NEST_JOB_STATE},
    {"stop", NEST_JOB_STATE},
    {"save", NEST_JOB_STATE},
    {"pause", NEST_JOB_STATE},
    {"resume", NEST_JOB_STATE},
    {"reboot", NEST_JOB_RESTART},
    {"reset", NEST_JOB_RESTART},
    {"memory", NEST_JOB_MEMORY},
    {"checkpoint", NEST_JOB_CHECKPOINT},
    {"apply-checkpoint", NEST_JOB_CHECKPOINT},
    {"delete-checkpoint", NEST_JOB_CHECKPOINT},
    {"migrate", NEST_JOB_MIGRATE},
    {"create", NEST_JOB_CREATE},
    {"delete", NEST_JOB_DELETE},
    {"trust", NEST_JOB_TRUST},
    {"stop-unfit", NEST_JOB_UNFIT},
    {"guest-create", NEST_JOB_INNER},
    {"guest-start", NEST_JOB_INNER},
    {"guest-stop", NEST_JOB_INNER},
    {"guest-delete", NEST_JOB_INNER},
    {"install-hypervisor", NEST_JOB_INSTALL},
    {"host-fix", NEST_JOB_HOST_FIX},
    {"host-undo", NEST_JOB_HOST_UNDO},
};

void nest_request_free(NestRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->vm);
    g_free(request->if_match);
    g_free(request->reason);
    nest_nested_wish_free(request->nested);
    nest_undo_wish_free(request->undo);
    nest_host_wish_free(request->host);
    nest_state_wish_free(request->state);
    nest_restart_wish_free(request->restart);
    nest_memory_wish_free(request->memory);
    nest_checkpoint_wish_free(request->checkpoint);
    nest_apply_wish_free(request->apply);
    g_free(request->item);
    nest_migration_wish_free(request->migration);
    nest_trust_wish_free(request->trust);
    nest_install_wish_free(request->install);
    nest_vm_spec_free(request->spec);
    nest_inner_spec_free(request->inner);
    nest_inner_wish_free(request->inner_state);
    g_free(request->by);
    g_free(request);
}

NestJob *nest_job_new(NestRequest *request, const char *uuid, const NestCaller *caller)
{
    NestJob *job = g_new0(NestJob, 1);
    job->type = types[request->kind];
    job->request = request;
    job->cancellable = g_cancellable_new();
    job->intent = g_new0(NestIntent, 1);
    job->intent->operation = nest_operation_new();
    job->intent->operation->uuid = g_strdup(uuid);
    job->right = caller->right;
    job->intent->operation->uid = caller->uid;
    job->intent->operation->pid = caller->pid;
    return job;
}

NestJob *nest_job_from_intent(NestIntent *intent)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(kinds[i].kind, intent->operation->kind) != 0)
            continue;
        NestJob *job = g_new0(NestJob, 1);
        job->type = types[kinds[i].job];
        job->cancellable = g_cancellable_new();
        job->intent = intent;
        return job;
    }
    nest_intent_free(intent);
    return NULL;
}

void nest_job_free(NestJob *job)
{
    if (job == NULL)
        return;
    nest_request_free(job->request);
    nest_host_snapshot_unref(job->host);
    g_object_unref(job->cancellable);
    nest_intent_free(job->intent);
    nest_job_free(job->follow);
    nest_vm_reading_free(job->reading);
    nest_plan_free(job->plan);
    g_free(job->written);
    g_free(job->way_on);
    nest_inner_free(job->inner);
    nest_host_change_free(job->change);
    nest_install_free(job->install);
    g_clear_pointer(&job->values, g_ptr_array_unref);
    g_free(job);
}

void nest_job_add_step(NestJob *job, const NestJobStep *step)
{
    g_assert(job->n_steps < NEST_JOB_STEPS_MAX);
    job->steps[job->n_steps++] = step;
    NestStep *shown = nest_record_new(&nest_step_record);
    shown->id = g_strdup(step->id);
    shown->title = g_strdup(step->title);
    g_ptr_array_add(job->intent->operation->steps, shown);
}

void nest_job_set_kind(NestJob *job, const char *kind)
{
    g_free(job->intent->operation->kind);
    job->intent->operation->kind = g_strdup(kind);
}

gboolean nest_job_read_vm(NestJob *job, GError **error)
{
    job->reading =
        nest_vm_reading_take(job->backend, job->host, job->marks, nest_job_uuid(job), error);
    if (job->reading == NULL)
        return FALSE;
    job->intent->operation->name = g_strdup(job->reading->facts->name);
    const char *wanted = job->request->if_match;
    if (wanted == NULL)
        return TRUE;
    g_autofree char *revision = nest_domain_fingerprint(job->reading->facts->xml);
    if (g_strcmp0(wanted, revision) == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_PRECONDITION_FAILED, "read it again and decide anew",
        "%s was changed since it was read", nest_job_name(job));
    return FALSE;
}

void nest_job_look_inside(const NestJob *job, NestVmReading *reading)
{
    if (job->sampler != NULL && reading->live != NULL)
        reading->marks->activity = nest_sampler_look(job->sampler, &reading->view);
}

gboolean nest_job_read_detail(
    const NestJob *job, const NestRecord *shape, gpointer ret_detail, GError **error)
{
    g_autofree gpointer detail =
        nest_codec_from_text(shape, job->intent->detail, -1, NEST_CODEC_LENIENT, error);
    if (detail == NULL)
        return FALSE;
    memcpy(ret_detail, detail, shape->size);
    return TRUE;
}

const char *nest_job_uuid(const NestJob *job)
{
    return job->intent->operation->uuid;
}

const char *nest_job_name(const NestJob *job)
{
    return job->intent->operation->name;
}
