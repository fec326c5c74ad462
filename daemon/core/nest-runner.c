/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-runner.h"
#include "nest-error.h"

#define RECORD_TRIES 3
#define RECORD_PAUSE_US (200 * 1000)
#define REOPEN_TRIES 20
#define REOPEN_PAUSE_US (500 * 1000)

static gint64 now(void)
{
    return g_get_real_time() / 1000;
}

static NestOperation *operation_of(NestJob *job)
{
    return job->intent->operation;
}

static void report(NestJob *job)
{
    if (job->report != NULL)
        job->report(job);
}

static void set_step(NestJob *job, guint index, NestStepState state)
{
    if (index >= operation_of(job)->steps->len)
        return;
    NestStep *step = g_ptr_array_index(operation_of(job)->steps, index);
    step->state = state;
    if (state == NEST_STEP_RUNNING)
        step->started = now();
    else
        step->finished = now();
}

static void add_note(NestJob *job, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_note(NestJob *job, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    NestOperation *operation = operation_of(job);
    char *both =
        operation->note != NULL ? g_strdup_printf("%s; %s", operation->note, text) : g_strdup(text);
    g_free(operation->note);
    operation->note = both;
}

/* The outcome must get into the store; where it can't, recovery at the next start finds it. */
static void record(NestJob *job)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < RECORD_TRIES; i++) {
        g_clear_error(&error);
        if (nest_store_finish_operation(job->store, job->intent, &error))
            return;
        g_usleep(RECORD_PAUSE_US << i);
    }
    job->unrecorded = TRUE;
    add_note(job, "the outcome could not be recorded (%s); nestd tries again", error->message);
}

/* No step of what has ended is under way or still to come. */
static void settle_steps(NestJob *job, gboolean done)
{
    const GPtrArray *steps = operation_of(job)->steps;
    for (guint i = 0; i < steps->len; i++) {
        const NestStep *step = g_ptr_array_index(steps, i);
        if (done && step->state != NEST_STEP_DONE)
            set_step(job, i, NEST_STEP_DONE);
        else if (step->state == NEST_STEP_RUNNING)
            set_step(job, i, NEST_STEP_FAILED);
        else if (step->state == NEST_STEP_PENDING)
            set_step(job, i, NEST_STEP_SKIPPED);
    }
}

/* What nestd knows of the VM from now on. */
static void set_mark(NestJob *job)
{
    NestIntent *intent = job->intent;
    if (job->marks == NULL || intent->operation->uuid == NULL)
        return;
    const char *uuid = intent->operation->uuid;
    g_autoptr(NestStoredMark) before = nest_marks_get_stored(job->marks, uuid);
    g_autoptr(GPtrArray) history = NULL;
    if (g_strcmp0(intent->operation->kind, "undo") == 0)
        nest_store_revisions(job->store, uuid, 0, NEST_VM_MARKS_LOOK_BACK, &history, NULL);
    intent->mark =
        nest_vm_marks_after(before, intent, job->host != NULL ? job->host->net : NULL, history);
    if (intent->mark != NULL)
        nest_marks_put(job->marks, intent->mark);
}

static void end(NestJob *job, NestOperationState state)
{
    settle_steps(job, state == NEST_OP_DONE);
    operation_of(job)->state = state;
    operation_of(job)->finished = now();
    if (state == NEST_OP_DONE)
        set_mark(job);
    record(job);
    report(job);
}

/* A connection that broke is being opened anew: what must be taken back waits for it. */
static gboolean undo_step(NestJob *job, const NestJobStep *step, GError **error)
{
    for (guint i = 0;; i++) {
        g_autoptr(GError) problem = NULL;
        if (step->undo(job, &problem))
            return TRUE;
        if (i >= REOPEN_TRIES || nest_error_code(problem) != NEST_ERROR_BACKEND_UNAVAILABLE) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        g_usleep(REOPEN_PAUSE_US);
    }
}

/* Takes back so many steps, the last one first. failed: the last one is shown as that. */
static gboolean undo_steps(NestJob *job, guint begun, gboolean failed)
{
    gboolean all = TRUE;
    for (guint i = begun; i > 0; i--) {
        const NestJobStep *step = job->steps[i - 1];
        g_autoptr(GError) error = NULL;
        if (step->undo == NULL)
            continue;
        if (undo_step(job, step, &error)) {
            if (i < begun || !failed)
                set_step(job, i - 1, NEST_STEP_UNDONE);
            continue;
        }
        all = FALSE;
        add_note(job, "\"%s\" could not be taken back: %s", step->title, error->message);
    }
    return all;
}

/* TRUE if a destructive step before the failed one went through. */
static gboolean destroyed(NestJob *job, guint failed)
{
    for (guint i = 0; i < failed; i++)
        if (job->steps[i]->destructive)
            return TRUE;
    return FALSE;
}

static void fail(NestJob *job, guint index, const GError *error)
{
    NestOperation *operation = operation_of(job);
    gboolean aborted = nest_error_code(error) == NEST_ERROR_ABORTED;
    set_step(job, index, NEST_STEP_FAILED);
    operation->problem = nest_problem_from_error(error);
    gboolean undone = undo_steps(job, index + 1, TRUE);
    for (guint i = 0; i < index; i++)
        if (job->steps[i]->destructive)
            add_note(job, "\"%s\" can't be taken back", job->steps[i]->title);
    if (!undone || job->stays || destroyed(job, index))
        end(job, NEST_OP_FAILED);
    else
        end(job, aborted ? NEST_OP_ABORTED : NEST_OP_ROLLED_BACK);
}

static gboolean begin_step(NestJob *job, guint index, GError **error)
{
    if (g_cancellable_is_cancelled(job->cancellable)) {
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "it was aborted on request");
        return FALSE;
    }
    operation_of(job)->state = NEST_OP_RUNNING;
    set_step(job, index, NEST_STEP_RUNNING);
    report(job);
    /* The intent that was committed says all that the first step is going to do. */
    return index == 0 || nest_store_update_operation(job->store, operation_of(job), error);
}

void nest_runner_run(NestJob *job)
{
    operation_of(job)->started = now();
    for (guint i = 0; i < job->n_steps; i++) {
        g_autoptr(GError) error = NULL;
        job->at = i;
        if (!begin_step(job, i, &error) || !job->steps[i]->apply(job, &error)) {
            fail(job, i, error);
            return;
        }
        set_step(job, i, NEST_STEP_DONE);
        report(job);
    }
    end(job, NEST_OP_DONE);
}

static void interrupted(NestJob *job, NestOperationState state)
{
    g_autoptr(GError) error = NULL;
    nest_set_error(&error, NEST_ERROR_INTERRUPTED, job->way_on != NULL ? job->way_on : "try again",
        "nestd was interrupted before it had finished");
    if (operation_of(job)->problem == NULL)
        operation_of(job)->problem = nest_problem_from_error(error);
    end(job, state);
}

static gboolean apply_all(NestJob *job)
{
    for (guint i = 0; i < job->n_steps; i++) {
        g_autoptr(GError) error = NULL;
        if (job->steps[i]->apply(job, &error))
            continue;
        add_note(job, "\"%s\" could not be finished: %s", job->steps[i]->title, error->message);
        return FALSE;
    }
    return TRUE;
}

/* What was recorded as done is found not to be there any more. */
static void mark_undone(NestJob *job)
{
    const GPtrArray *steps = operation_of(job)->steps;
    for (guint i = 0; i < steps->len; i++) {
        const NestStep *step = g_ptr_array_index(steps, i);
        if (step->state == NEST_STEP_DONE)
            set_step(job, i, NEST_STEP_UNDONE);
    }
}

/* libvirt may have written the definition in other words than were planned, and the revision is
 * compared with those. */
static void take_what_is_there(NestJob *job)
{
    NestIntent *intent = job->intent;
    if (job->reading == NULL || job->type->reached == NULL || intent->after_xml == NULL ||
        g_strcmp0(intent->before_xml, intent->after_xml) == 0 ||
        !job->type->reached(job, job->reading->facts->xml, NULL))
        return;
    g_free(intent->after_xml);
    intent->after_xml = g_strdup(job->reading->facts->xml);
}

static void carry_out(NestJob *job, NestRecovery decision)
{
    switch (decision) {
    case NEST_RECOVERY_DONE:
        take_what_is_there(job);
        add_note(job, "nestd was interrupted; it found everything done when it started again");
        end(job, NEST_OP_DONE);
        return;
    case NEST_RECOVERY_FINISH:
        add_note(job, "nestd was interrupted; it finished this when it started again");
        if (apply_all(job))
            end(job, NEST_OP_DONE);
        else
            interrupted(job, NEST_OP_FAILED);
        return;
    case NEST_RECOVERY_UNTOUCHED:
        add_note(job, "nothing had been changed");
        mark_undone(job);
        interrupted(job, NEST_OP_ROLLED_BACK);
        return;
    case NEST_RECOVERY_UNDO:
        if (undo_steps(job, job->n_steps, FALSE)) {
            add_note(job, "everything was taken back");
            interrupted(job, NEST_OP_ROLLED_BACK);
            return;
        }
        interrupted(job, NEST_OP_FAILED);
        return;
    case NEST_RECOVERY_LEAVE:
        interrupted(job, NEST_OP_FAILED);
        return;
    }
}

gboolean nest_runner_recover(NestJob *job, NestHostSnapshot *host, GError **ret_error)
{
    const char *note = NULL;
    g_autoptr(GError) error = NULL;
    job->host = nest_host_snapshot_ref(host);
    if (nest_job_uuid(job) != NULL)
        job->reading =
            nest_vm_reading_take(job->backend, host, job->marks, nest_job_uuid(job), &error);
    if (error != NULL && nest_error_code(error) == NEST_ERROR_BACKEND_UNAVAILABLE) {
        g_propagate_error(ret_error, g_steal_pointer(&error));
        return FALSE;
    }
    if (error != NULL && nest_error_code(error) != NEST_ERROR_VM_NOT_FOUND) {
        add_note(job, "the virtual machine can't be read: %s", error->message);
        interrupted(job, NEST_OP_FAILED);
        return TRUE;
    }
    g_clear_error(&error);
    if (!job->type->resume(job, &error)) {
        add_note(job, "what was planned can't be read: %s", error->message);
        interrupted(job, NEST_OP_FAILED);
        return TRUE;
    }
    if (operation_of(job)->problem != NULL)
        g_clear_pointer(&operation_of(job)->problem, nest_problem_free);
    NestRecovery decision = job->type->recover(job, job->reading, &note);
    if (note != NULL)
        add_note(job, "%s", note);
    carry_out(job, decision);
    return TRUE;
}
