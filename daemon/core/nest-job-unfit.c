/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-given.h"
#include "nest-job.h"
#include "nest-power.h"

/* Powers a VM off that has just started without the extension that its definition asks for. What
 * it is asked about one start it does to no other, and not once the guest may have got anywhere:
 * so an interrupted one is not finished by recovery either. */

static gboolean is_unfit(const NestJob *job)
{
    const NestVmFacts *facts = job->reading->facts;
    if (facts->state != NEST_VM_RUNNING || !facts->booted || facts->run != job->request->run ||
        g_get_monotonic_time() > job->request->until)
        return FALSE;
    g_autoptr(NestGiven) given = nest_given_judge(&job->reading->view);
    if (given->flaw != NEST_FLAW_MISSING)
        return FALSE;
    job->intent->operation->note =
        g_strdup_printf("it started without the virtualization extension that it asks for: %s",
            nest_given_words(given));
    return TRUE;
}

static gboolean stop(NestJob *job, GError **error)
{
    return nest_power_stop(job->backend, nest_job_uuid(job), error);
}

static gboolean prepare(NestJob *job, GError **error)
{
    static const NestJobStep step = {"stop", "powered off", stop, NULL, TRUE};
    nest_job_set_kind(job, "stop-unfit");
    if (!nest_job_read_vm(job, error))
        return FALSE;
    if (is_unfit(job))
        nest_job_add_step(job, &step);
    return TRUE;
}

static gboolean resume(NestJob *job, GError **error)
{
    return TRUE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading == NULL) {
        *note = "the virtual machine is gone";
        return NEST_RECOVERY_LEAVE;
    }
    if (nest_power_is_off(reading->facts->state))
        return NEST_RECOVERY_DONE;
    *note = "it still runs: power it off";
    return NEST_RECOVERY_UNTOUCHED;
}

const NestJobType nest_job_unfit = {prepare, resume, recover};
