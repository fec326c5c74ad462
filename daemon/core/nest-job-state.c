/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-given.h"
#include "nest-job-guard.h"
#include "nest-job-steps.h"
#include "nest-power.h"
#include "nest-record.h"
#include "nest-saved-state.h"
#include "nest-take-back.h"

/* Start, shut down, power off, save, pause, resume. */

static gboolean refuse_state(const NestJob *job, const char *what, const char *next, GError **error)
{
    nest_set_error(error, NEST_ERROR_VM_STATE, next, "%s can't be %s while it is %s",
        nest_job_name(job), what, nest_nick(nest_vm_state_nicks, job->reading->facts->state));
    return FALSE;
}

static char *lost_extension(const NestVmView *view)
{
    g_autoptr(NestGiven) given = nest_given_judge_start(view);
    return given != NULL && given->flaw == NEST_FLAW_MISSING ? g_strdup(nest_given_words(given))
                                                             : NULL;
}

/* The VM runs without the extension that its definition demands: it must not stay so. */
static gboolean stop_unfit(NestJob *job, const char *why, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!nest_power_stop(job->backend, nest_job_uuid(job), &problem))
        g_prefix_error(&problem, "and it could not be stopped: ");
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, "nestctl status",
        "%s started without the virtualization extension that it demands (%s) and was stopped%s%s",
        nest_job_name(job), why, problem != NULL ? ", " : "",
        problem != NULL ? problem->message : "");
    return FALSE;
}

static gboolean try_start(NestJob *job, GError **error)
{
    const char *uuid = nest_job_uuid(job);
    if (!job->backend->ops->start(job->backend, uuid, error))
        return FALSE;
    g_autoptr(NestVmReading) now =
        nest_vm_reading_take(job->backend, job->host, job->marks, uuid, error);
    if (now == NULL)
        return FALSE;
    g_autofree char *lost = lost_extension(&now->view);
    return lost == NULL || stop_unfit(job, lost, error);
}

static gboolean start(NestJob *job, GError **error)
{
    GError *failure = NULL;
    if (try_start(job, &failure))
        return TRUE;
    nest_take_back(job, failure, error);
    return FALSE;
}

static gboolean shut_down(NestJob *job, GError **error)
{
    const NestStateWish *wish = job->request->state;
    guint seconds = wish->timeout > 0 ? wish->timeout : job->config->shutdown_timeout;
    g_autoptr(GError) problem = NULL;
    if (nest_power_shut_down(job->backend, nest_job_uuid(job), seconds, job->cancellable, &problem))
        return TRUE;
    if (nest_error_code(problem) == NEST_ERROR_TIMEOUT) {
        g_autofree char *next = g_strdup_printf("nestctl stop %s", nest_job_name(job));
        nest_set_error(error, NEST_ERROR_TIMEOUT, next,
            "%s was asked to shut down and still runs after %u s", nest_job_name(job), seconds);
        return FALSE;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static gboolean stop(NestJob *job, GError **error)
{
    return nest_power_stop(job->backend, nest_job_uuid(job), error);
}

static void note_file(NestJob *job, const NestVmFacts *facts)
{
    char *note = nest_saved_note_at(job->intent->detail, facts->saved_time);
    g_free(job->intent->detail);
    job->intent->detail = note;
}

static gboolean save(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) then = NULL;
    if (!job->backend->ops->save(job->backend, nest_job_uuid(job), error) ||
        !job->backend->ops->read(job->backend, nest_job_uuid(job), &then, error))
        return FALSE;
    if (then->saved_state) {
        note_file(job, then);
        return TRUE;
    }
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL,
        "%s was saved, but no saved state is there", nest_job_name(job));
    return FALSE;
}

static gboolean expect_state(NestJob *job, NestVmState expected, GError **error)
{
    g_autoptr(NestVmFacts) then = NULL;
    if (!job->backend->ops->read(job->backend, nest_job_uuid(job), &then, error))
        return FALSE;
    if (then->state == expected)
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL, "%s should be %s, but is %s",
        nest_job_name(job), nest_nick(nest_vm_state_nicks, expected),
        nest_nick(nest_vm_state_nicks, then->state));
    return FALSE;
}

static gboolean run_on(NestJob *job, GError **error)
{
    return job->backend->ops->resume(job->backend, nest_job_uuid(job), error) &&
        expect_state(job, NEST_VM_RUNNING, error);
}

static gboolean hold(NestJob *job, GError **error)
{
    return job->backend->ops->pause(job->backend, nest_job_uuid(job), error) &&
        expect_state(job, NEST_VM_PAUSED, error);
}

static const NestJobStep resume_step = {"resume", "resumed", run_on, NULL, FALSE};
static const NestJobStep pause_step = {"pause", "paused", hold, NULL, FALSE};
static const NestJobStep start_step = {"start", "started", start, NULL, FALSE};

/* What is resumed must run here, and what is given up is not looked at. */
static gboolean prepare_saved(NestJob *job, GError **error)
{
    if (job->request->state->discard_saved_state) {
        nest_job_add_step(job, &nest_job_steps_saved_state);
        return TRUE;
    }
    g_autoptr(NestGuardVerdict) verdict =
        nest_saved_judge(&job->reading->view, job->config->parity);
    return nest_job_guard_verdict(job, verdict, error);
}

static gboolean check_saved(const NestJob *job, GError **error)
{
    if (!job->request->state->restore || job->reading->facts->saved_state)
        return TRUE;
    g_autofree char *next = g_strdup_printf("nestctl start %s", nest_job_name(job));
    nest_set_error(error, NEST_ERROR_VM_STATE, next, "%s has no saved state to resume from",
        nest_job_name(job));
    return FALSE;
}

static gboolean prepare_start(NestJob *job, GError **error)
{
    const NestVmFacts *facts = job->reading->facts;
    nest_job_set_kind(job, facts->state == NEST_VM_PAUSED ? "resume" : "start");
    if (!check_saved(job, error))
        return FALSE;
    if (facts->state == NEST_VM_RUNNING)
        return TRUE;
    if (facts->state == NEST_VM_PAUSED) {
        if (!nest_job_guard(job, NEST_GUARD_PAUSE, error))
            return FALSE;
        nest_job_add_step(job, &resume_step);
        return TRUE;
    }
    if (!nest_power_is_off(facts->state))
        return refuse_state(job, "started", NULL, error);
    if (!nest_job_guard(job, NEST_GUARD_START, error) ||
        (facts->saved_state && !prepare_saved(job, error)))
        return FALSE;
    nest_job_add_step(job, &start_step);
    return TRUE;
}

static gboolean prepare_off(NestJob *job, GError **error)
{
    static const NestJobStep shut_down_step = {"shutdown", "shut down", shut_down, NULL, TRUE};
    static const NestJobStep stop_step = {"stop", "powered off", stop, NULL, TRUE};
    gboolean force = job->request->state->force;
    nest_job_set_kind(job, force ? "stop" : "shutdown");
    if (nest_power_is_off(job->reading->facts->state))
        return TRUE;
    if (!force && job->reading->facts->state == NEST_VM_PAUSED) {
        g_autofree char *next = g_strdup_printf("nestctl resume %s", nest_job_name(job));
        return refuse_state(job, "shut down", next, error);
    }
    if (!nest_job_guard(job, force ? NEST_GUARD_STOP : NEST_GUARD_SHUTDOWN, error))
        return FALSE;
    nest_job_add_step(job, force ? &stop_step : &shut_down_step);
    return TRUE;
}

static gboolean prepare_save(NestJob *job, GError **error)
{
    static const NestJobStep step = {"save", "saved", save, NULL, FALSE};
    NestVmState state = job->reading->facts->state;
    nest_job_set_kind(job, "save");
    if (state == NEST_VM_SAVED)
        return TRUE;
    if (state != NEST_VM_RUNNING && state != NEST_VM_PAUSED)
        return refuse_state(job, "saved", NULL, error);
    if (!nest_job_guard(job, NEST_GUARD_SAVE, error))
        return FALSE;
    job->intent->detail = nest_saved_note(&job->reading->view);
    nest_job_add_step(job, &step);
    return TRUE;
}

static gboolean prepare_pause(NestJob *job, GError **error)
{
    NestVmState state = job->reading->facts->state;
    nest_job_set_kind(job, "pause");
    if (state == NEST_VM_PAUSED)
        return TRUE;
    if (state != NEST_VM_RUNNING)
        return refuse_state(job, "paused", NULL, error);
    if (!nest_job_guard(job, NEST_GUARD_PAUSE, error))
        return FALSE;
    nest_job_add_step(job, &pause_step);
    return TRUE;
}

static const struct {
    NestVmState wanted;
    gboolean (*prepare)(NestJob *job, GError **error);
} ways[] = {
    {NEST_VM_RUNNING, prepare_start},
    {NEST_VM_OFF, prepare_off},
    {NEST_VM_SAVED, prepare_save},
    {NEST_VM_PAUSED, prepare_pause},
};

static gboolean check_wish(const NestStateWish *wish, GError **error)
{
    gboolean both = wish->discard_saved_state && wish->restore;
    gboolean either = wish->discard_saved_state || wish->restore;
    if (!both && (!either || wish->state == NEST_VM_RUNNING))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "ask for one of them, with state running",
        "a saved state is resumed or discarded where the state running is wished for, and not "
        "both");
    return FALSE;
}

static gboolean prepare(NestJob *job, GError **error)
{
    NestVmState wanted = job->request->state->state;
    guint way = 0;
    while (way < G_N_ELEMENTS(ways) && ways[way].wanted != wanted)
        way++;
    if (way == G_N_ELEMENTS(ways)) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "ask for running, off, saved or paused",
            "a virtual machine can't be brought into the state \"%s\"",
            nest_nick(nest_vm_state_nicks, wanted));
        return FALSE;
    }
    return check_wish(job->request->state, error) && nest_job_read_vm(job, error) &&
        ways[way].prepare(job, error);
}

/* Which file was written is looked up here: recover() is pure. */
static gboolean resume(NestJob *job, GError **error)
{
    g_autoptr(NestVmFacts) now = NULL;
    gboolean noted =
        g_strcmp0(job->intent->operation->kind, "save") == 0 && job->intent->detail != NULL;
    if (noted && job->backend->ops->read(job->backend, nest_job_uuid(job), &now, NULL))
        note_file(job, now);
    return TRUE;
}

/* TRUE if a start was to give the saved state up first, and did. */
static gboolean gave_up(const NestJob *job, const NestVmReading *reading)
{
    return job->intent->operation->steps->len > 1 && !reading->facts->saved_state;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading == NULL) {
        *note = "the virtual machine is gone";
        return NEST_RECOVERY_LEAVE;
    }
    const char *kind = job->intent->operation->kind;
    gboolean off = nest_power_is_off(reading->facts->state);
    g_autofree char *lost = lost_extension(&reading->view);
    if (g_strcmp0(kind, "start") == 0 && lost != NULL) {
        *note = "it runs without the virtualization extension that it demands: power it off";
        return NEST_RECOVERY_LEAVE;
    }
    if (g_strcmp0(kind, "start") == 0 && off && gave_up(job, reading)) {
        *note = "its saved state is gone, and it was not started: start it";
        return NEST_RECOVERY_LEAVE;
    }
    gboolean wanted = off;
    if (g_strcmp0(kind, "start") == 0)
        wanted = !off;
    else if (g_strcmp0(kind, "save") == 0)
        wanted = reading->facts->saved_state;
    else if (g_strcmp0(kind, "pause") == 0)
        wanted = reading->facts->state == NEST_VM_PAUSED;
    else if (g_strcmp0(kind, "resume") == 0)
        wanted = reading->facts->state == NEST_VM_RUNNING;
    *note = wanted ? NULL : "it was not carried out";
    return wanted ? NEST_RECOVERY_DONE : NEST_RECOVERY_UNTOUCHED;
}

const NestJobType nest_job_state = {prepare, resume, recover};
