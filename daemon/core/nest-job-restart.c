/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-job-guard.h"
#include "nest-record.h"

/* Reboot, and reset. The QEMU stays the same, and so does what it was started with. */

#define RESET_TIMEOUT_MS 10000
#define PENDING "what was changed in its CPU waits until it is powered off and started"

static gboolean ask(NestJob *job, GError **error)
{
    const NestRestartWish *wish = job->request->restart;
    guint seconds = wish->timeout > 0 ? wish->timeout : job->config->shutdown_timeout;
    g_autoptr(GError) problem = NULL;
    if (job->backend->ops->restart(
            job->backend, nest_job_uuid(job), FALSE, seconds * 1000, job->cancellable, &problem))
        return TRUE;
    if (nest_error_code(problem) == NEST_ERROR_TIMEOUT) {
        g_autofree char *next = g_strdup_printf("nestctl reset %s", nest_job_name(job));
        nest_set_error(error, NEST_ERROR_TIMEOUT, next,
            "%s was asked to reboot and has not begun anew after %u s; it may still do so",
            nest_job_name(job), seconds);
        return FALSE;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static gboolean press(NestJob *job, GError **error)
{
    return job->backend->ops->restart(
        job->backend, nest_job_uuid(job), TRUE, RESET_TIMEOUT_MS, NULL, error);
}

static const NestJobStep reboot_step = {"reboot", "rebooted", ask, NULL, TRUE};
static const NestJobStep reset_step = {"reset", "reset", press, NULL, TRUE};

static gboolean check_state(const NestJob *job, gboolean hard, GError **error)
{
    NestVmState state = job->reading->facts->state;
    const char *name = nest_job_name(job);
    gboolean paused = state == NEST_VM_PAUSED;
    if (state == NEST_VM_RUNNING || (hard && paused))
        return TRUE;
    g_autofree char *next = g_strdup_printf("nestctl %s %s", paused ? "resume" : "start", name);
    nest_set_error(error, NEST_ERROR_VM_STATE, next, "%s can't be %s while it is %s", name,
        hard ? "reset" : "rebooted", nest_nick(nest_vm_state_nicks, state));
    return FALSE;
}

/* Who reboots may expect it to take effect. */
static void note_pending(NestJob *job)
{
    NestOperation *operation = job->intent->operation;
    if (!nest_vm_view_pending(&job->reading->view))
        return;
    g_autofree char *before = g_steal_pointer(&operation->note);
    operation->note =
        g_strconcat(before != NULL ? before : "", before != NULL ? "; " : "", PENDING, NULL);
}

static gboolean prepare(NestJob *job, GError **error)
{
    gboolean hard = job->request->restart->reset;
    nest_job_set_kind(job, hard ? "reset" : "reboot");
    if (!nest_job_read_vm(job, error) || !check_state(job, hard, error) ||
        !nest_job_guard(job, hard ? NEST_GUARD_RESET : NEST_GUARD_REBOOT, error))
        return FALSE;
    note_pending(job);
    nest_job_add_step(job, hard ? &reset_step : &reboot_step);
    return TRUE;
}

static gboolean resume(NestJob *job, GError **error)
{
    return TRUE;
}

/* Nothing tells afterwards how often a guest has begun anew. */
static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    *note = reading == NULL     ? "the virtual machine is gone"
        : reading->live == NULL ? "it does not run any more"
                                : "whether it has begun anew is not known: look at it";
    return NEST_RECOVERY_LEAVE;
}

const NestJobType nest_job_restart = {prepare, resume, recover};
