/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checkpoint.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-guard-image.h"
#include "nest-job-guard.h"
#include "nest-name.h"
#include "nest-plan-refusal.h"
#include "nest-power.h"
#include "nest-record.h"

/* Checkpoints: make one, put a VM back to one, delete one. */

/* What the steps need, kept in the intent. */
typedef struct {
    char *name;
    char *description;
    gboolean disk_only;
    gboolean was_current; /* before it was put back */
} Detail;

static const NestField detail_fields[] = {
    {"name", NEST_FIELD_STRING, NEST_FIELD_REQUIRED, offsetof(Detail, name), NULL, NULL},
    {"description", NEST_FIELD_STRING, NEST_FIELD_OPTIONAL, offsetof(Detail, description), NULL,
        NULL},
    {"disk_only", NEST_FIELD_BOOL, NEST_FIELD_OPTIONAL, offsetof(Detail, disk_only), NULL, NULL},
    {"was_current", NEST_FIELD_BOOL, NEST_FIELD_OPTIONAL, offsetof(Detail, was_current), NULL,
        NULL},
};
static const NestRecord detail_record = {
    "checkpoint", sizeof(Detail), detail_fields, G_N_ELEMENTS(detail_fields)};

static void detail_free(Detail *detail)
{
    nest_record_free(&detail_record, detail);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Detail, detail_free)

static Detail *read_detail(const NestJob *job, GError **error)
{
    return nest_codec_from_text(&detail_record, job->intent->detail, -1, NEST_CODEC_LENIENT, error);
}

static gboolean list(NestJob *job, GPtrArray **ret_checkpoints, GError **error)
{
    return job->backend->ops->checkpoints(job->backend, nest_job_uuid(job), ret_checkpoints, error);
}

/* What there is of the job's checkpoint. */
typedef struct {
    gboolean there; /* of its name */
    gboolean own; /* with the job's description, or unfinished: nobody else made it meanwhile */
    gboolean finished; /* and own */
    gboolean put_back; /* it is the current one now, and was not before */
} Found;

static gboolean look(NestJob *job, Found *ret_found, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    g_autoptr(GPtrArray) checkpoints = NULL;
    if (detail == NULL || !list(job, &checkpoints, error))
        return FALSE;
    const NestBackendCheckpoint *found = nest_checkpoint_find(checkpoints, detail->name);
    *ret_found = (Found){.there = found != NULL};
    if (found == NULL)
        return TRUE;
    ret_found->finished = g_strcmp0(found->description, detail->description) == 0;
    ret_found->own = ret_found->finished || found->unfinished;
    ret_found->put_back = found->current && !detail->was_current;
    return TRUE;
}

static gboolean make(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    Found found = {FALSE};
    if (detail == NULL ||
        !job->backend->ops->checkpoint(job->backend, nest_job_uuid(job), detail->name,
            detail->description, detail->disk_only, error) ||
        !look(job, &found, error))
        return FALSE;
    if (found.finished)
        return TRUE;
    nest_set_error(
        error, NEST_ERROR_NOT_VERIFIED, NULL, "the checkpoint was made, but is not there");
    return FALSE;
}

/* What counts is whether it is there. */
static gboolean take_away(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    g_autoptr(GError) problem = NULL;
    Found found = {FALSE};
    if (detail == NULL)
        return FALSE;
    job->backend->ops->delete_checkpoint(job->backend, nest_job_uuid(job), detail->name, &problem);
    if (!look(job, &found, error))
        return FALSE;
    if (!found.there)
        return TRUE;
    if (problem != NULL)
        g_propagate_error(error, g_steal_pointer(&problem));
    else
        nest_set_error(
            error, NEST_ERROR_NOT_VERIFIED, NULL, "the checkpoint was deleted, but is still there");
    return FALSE;
}

/* It can't be made again: that it is still there is all that can be hoped for. */
static gboolean expect_there(NestJob *job, GError **error)
{
    Found found = {FALSE};
    if (!look(job, &found, error))
        return FALSE;
    if (found.there)
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL, "the checkpoint is gone");
    return FALSE;
}

static gboolean unmake(NestJob *job, GError **error)
{
    Found found = {FALSE};
    return look(job, &found, error) && (!found.own || take_away(job, error));
}

/* The definition is that of then; history is told where it is another. */
static gboolean note_definition(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) then = NULL;
    if (!job->backend->ops->read(job->backend, nest_job_uuid(job), &then, error))
        return FALSE;
    if (!nest_domain_same(then->xml, job->intent->before_xml))
        job->intent->after_xml = g_strdup(then->xml);
    return TRUE;
}

static gboolean put_back(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    g_autoptr(GError) problem = NULL;
    Found found = {FALSE};
    if (detail == NULL)
        return FALSE;
    job->touched = TRUE;
    job->backend->ops->apply_checkpoint(job->backend, nest_job_uuid(job), detail->name, &problem);
    if (!look(job, &found, error))
        return FALSE;
    if (found.put_back || (problem == NULL && detail->was_current))
        return note_definition(job, error);
    if (problem != NULL)
        g_propagate_error(error, g_steal_pointer(&problem));
    else
        nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL,
            "%s was put back, but another checkpoint is the current one", nest_job_name(job));
    return FALSE;
}

static char *again(const NestJob *job, const char *checkpoint)
{
    return g_strdup_printf(
        "look at it, or: nestctl checkpoint apply %s %s", nest_job_name(job), checkpoint);
}

/* To put a VM back its CPUs are stopped first. */
static gboolean never_stopped(NestJob *job)
{
    g_autoptr(NestVmFacts) now = NULL;
    return job->reading->facts->state == NEST_VM_RUNNING &&
        job->backend->ops->read(job->backend, nest_job_uuid(job), &now, NULL) &&
        now->state == NEST_VM_RUNNING;
}

/* There is no way back, and nothing tells how far it came: of several disks some may be as then. */
static gboolean admit(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    if (detail == NULL || !job->touched || never_stopped(job))
        return detail != NULL;
    g_autofree char *next = again(job, detail->name);
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, next,
        "how far it came is not known, so don't start it as it is; %s", next);
    return FALSE;
}

static const NestJobStep make_step = {"checkpoint", "checkpoint made", make, unmake, FALSE};
static const NestJobStep apply_step = {
    "apply", "put back to the checkpoint", put_back, admit, TRUE};
static const NestJobStep delete_step = {
    "delete", "checkpoint deleted", take_away, expect_there, TRUE};

static void set_detail(NestJob *job, const Detail *detail)
{
    job->intent->detail = nest_codec_to_text(&detail_record, detail);
}

static char *name_of_now(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return g_date_time_format(now, "cp-%Y%m%d-%H%M%S");
}

static gboolean check_room(
    NestJob *job, const GPtrArray *checkpoints, const char *name, GError **error)
{
    if (nest_checkpoint_find(checkpoints, name) != NULL) {
        nest_set_error(error, NEST_ERROR_VM_STATE, "choose another name",
            "%s has a checkpoint \"%s\" already", nest_job_name(job), name);
        return FALSE;
    }
    if (checkpoints->len < NEST_BACKEND_CHECKPOINTS_MAX)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_STATE, "delete some first", "%s has %u checkpoints already",
        nest_job_name(job), checkpoints->len);
    return FALSE;
}

static NestGuarded guard_of(gboolean runs, gboolean disk_only)
{
    if (!runs)
        return NEST_GUARD_CHECKPOINT_OFF;
    return disk_only ? NEST_GUARD_CHECKPOINT_DISK : NEST_GUARD_CHECKPOINT;
}

static gboolean prepare_create(NestJob *job, const GPtrArray *checkpoints, GError **error)
{
    const NestCheckpointWish *wish = job->request->checkpoint;
    g_autofree char *name = wish->name != NULL ? g_strdup(wish->name) : name_of_now();
    NestVmState state = job->reading->facts->state;
    gboolean runs = state == NEST_VM_RUNNING || state == NEST_VM_PAUSED;
    nest_job_set_kind(job, "checkpoint");
    if (!nest_name_check(name, "checkpoint", error) || !check_room(job, checkpoints, name, error))
        return FALSE;
    if (!runs && state != NEST_VM_OFF) {
        nest_set_error(error, NEST_ERROR_VM_STATE, NULL, "%s can't be checkpointed while it is %s",
            nest_job_name(job), nest_nick(nest_vm_state_nicks, state));
        return FALSE;
    }
    if (!nest_job_guard(job, guard_of(runs, wish->disk_only), error))
        return FALSE;
    g_autofree char *description = nest_checkpoint_note(&job->reading->view);
    set_detail(job, &(Detail){name, description, wish->disk_only, FALSE});
    nest_job_add_step(job, &make_step);
    return TRUE;
}

/* What runs is judged first, then who may nest, then what is to run. */
static gboolean guard_apply(NestJob *job, const NestBackendCheckpoint *checkpoint, GError **error)
{
    const NestVmView *view = &job->reading->view;
    g_autoptr(NestCheckpoint) image = nest_checkpoint_from(checkpoint, view);
    if (job->reading->live != NULL && !nest_job_guard(job, NEST_GUARD_APPLY, error))
        return FALSE;
    if (nest_plan_refuses_switch(view, image->nesting, error))
        return FALSE;
    g_autoptr(NestGuardVerdict) verdict = image->memory
        ? nest_guard_judge_image(NEST_GUARD_APPLY_MEMORY, view, image, job->config->parity)
        : nest_guard_judge_disks(view, image);
    return nest_job_guard_verdict(job, verdict, error);
}

static gboolean prepare_apply(NestJob *job, const NestBackendCheckpoint *checkpoint, GError **error)
{
    nest_job_set_kind(job, "apply-checkpoint");
    if (job->reading->facts->saved_state) {
        g_autofree char *next = g_strdup_printf(
            "nestctl start %s, and nestctl shutdown %s", nest_job_name(job), nest_job_name(job));
        nest_set_error(error, NEST_ERROR_VM_STATE, next,
            "%s can't be put back to a checkpoint while it is saved", nest_job_name(job));
        return FALSE;
    }
    if (checkpoint->unfinished) {
        g_autofree char *next = g_strdup_printf(
            "nestctl checkpoint delete %s %s", nest_job_name(job), checkpoint->name);
        nest_set_error(error, NEST_ERROR_VM_STATE, next,
            "the checkpoint \"%s\" of %s was never finished", checkpoint->name, nest_job_name(job));
        return FALSE;
    }
    if (!guard_apply(job, checkpoint, error))
        return FALSE;
    job->intent->before_xml = g_strdup(job->reading->facts->xml);
    set_detail(job, &(Detail){.name = checkpoint->name, .was_current = checkpoint->current});
    nest_job_add_step(job, &apply_step);
    return TRUE;
}

static gboolean prepare_delete(
    NestJob *job, const NestBackendCheckpoint *checkpoint, GError **error)
{
    nest_job_set_kind(job, "delete-checkpoint");
    set_detail(job, &(Detail){.name = checkpoint->name});
    nest_job_add_step(job, &delete_step);
    return TRUE;
}

static gboolean prepare(NestJob *job, GError **error)
{
    g_autoptr(GPtrArray) checkpoints = NULL;
    const char *name = job->request->item;
    if (!nest_job_read_vm(job, error) || !list(job, &checkpoints, error))
        return FALSE;
    if (job->request->checkpoint != NULL)
        return prepare_create(job, checkpoints, error);
    const NestBackendCheckpoint *found = nest_checkpoint_find(checkpoints, name);
    if (found != NULL)
        return job->request->apply != NULL ? prepare_apply(job, found, error)
                                           : prepare_delete(job, found, error);
    g_autofree char *next = g_strdup_printf("nestctl checkpoint list %s", nest_job_name(job));
    nest_set_error(
        error, NEST_ERROR_VM_STATE, next, "%s has no checkpoint \"%s\"", nest_job_name(job), name);
    return FALSE;
}

/* What is there is looked up here: recover() is pure. */
static gboolean resume(NestJob *job, GError **error)
{
    const char *kind = job->intent->operation->kind;
    g_autoptr(Detail) detail = read_detail(job, error);
    Found found = {FALSE};
    if (detail == NULL || !look(job, &found, error))
        return FALSE;
    if (g_strcmp0(kind, "apply-checkpoint") == 0) {
        job->touched = found.put_back;
        job->way_on = again(job, detail->name);
        return !found.put_back || note_definition(job, error);
    }
    gboolean making = g_strcmp0(kind, "checkpoint") == 0;
    job->touched = making ? found.finished : !found.there;
    if (making && found.own && !found.finished) {
        job->steps[0] = &make_step;
        job->n_steps = 1;
    }
    return TRUE;
}

static NestRecovery recover_apply(
    const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (job->touched)
        return NEST_RECOVERY_DONE;
    *note = reading->live != NULL
        ? "it runs, and whether it was put back to the checkpoint is not known"
        : "it is off, and of its disks some may have been put back to the checkpoint and others "
          "not: put it back again before it is started";
    return NEST_RECOVERY_LEAVE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading == NULL) {
        *note = "the virtual machine is gone";
        return NEST_RECOVERY_LEAVE;
    }
    if (g_strcmp0(job->intent->operation->kind, "apply-checkpoint") == 0)
        return recover_apply(job, reading, note);
    if (job->touched)
        return NEST_RECOVERY_DONE;
    return job->n_steps > 0 ? NEST_RECOVERY_UNDO : NEST_RECOVERY_UNTOUCHED;
}

const NestJobType nest_job_checkpoint = {prepare, resume, recover};
