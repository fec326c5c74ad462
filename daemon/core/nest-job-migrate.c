/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-destination.h"
#include "nest-error.h"
#include "nest-job-guard.h"
#include "nest-power.h"
#include "nest-record.h"

/* Migration: the VM is defined there, and not here any more. */

#define TIMEOUT_SECONDS (60 * 60)
#define TIMEOUT_MAX_SECONDS (24 * 60 * 60)

/* What the step needs, kept in the intent. */
typedef struct {
    char *to;
    gboolean offline;
    guint timeout; /* seconds */
} Detail;

static const NestField detail_fields[] = {
    {"to", NEST_FIELD_STRING, NEST_FIELD_REQUIRED, offsetof(Detail, to), NULL, NULL},
    {"offline", NEST_FIELD_BOOL, NEST_FIELD_REQUIRED, offsetof(Detail, offline), NULL, NULL},
    {"timeout", NEST_FIELD_UINT, NEST_FIELD_REQUIRED, offsetof(Detail, timeout), NULL, NULL},
};
static const NestRecord detail_record = {
    "migration", sizeof(Detail), detail_fields, G_N_ELEMENTS(detail_fields)};

static void detail_free(Detail *detail)
{
    nest_record_free(&detail_record, detail);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Detail, detail_free)

static Detail *read_detail(const NestJob *job, GError **error)
{
    return nest_codec_from_text(&detail_record, job->intent->detail, -1, NEST_CODEC_LENIENT, error);
}

/* The step */

static gboolean look(NestJob *job, gboolean *ret_here, GError **error)
{
    g_autoptr(NestVmFacts) facts = NULL;
    g_autoptr(GError) problem = NULL;
    gboolean here = job->backend->ops->read(job->backend, nest_job_uuid(job), &facts, &problem);
    if (!here && nest_error_code(problem) != NEST_ERROR_VM_NOT_FOUND) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    *ret_here = here;
    return TRUE;
}

static gboolean move(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    g_autoptr(GError) problem = NULL;
    gboolean here = FALSE;
    if (detail == NULL)
        return FALSE;
    if (!job->backend->ops->migrate(job->backend, nest_job_uuid(job), detail->to, detail->offline,
            detail->timeout * 1000, job->cancellable, &problem)) {
        job->touched = nest_error_code(problem) == NEST_ERROR_NOT_VERIFIED;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!look(job, &here, error))
        return FALSE;
    if (!here)
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "see which of the two hosts has it",
        "%s was migrated, but is still defined here", nest_job_name(job));
    job->touched = TRUE;
    return FALSE;
}

/* What failed left the VM here, and nothing has to be done, but where that is not sure. */
static gboolean stay(NestJob *job, GError **error)
{
    gboolean here = FALSE;
    if (!look(job, &here, error))
        return FALSE;
    if (here && !job->touched)
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "see which of the two hosts has it",
        here ? "%s may still be on its way" : "%s is not here any more", nest_job_name(job));
    return FALSE;
}

static const NestJobStep move_step = {"migrate", "migrated", move, stay, TRUE};

/* Before it */

/* What to do first is a command: its verb, and what follows the name. */
static gboolean wrong_state(
    NestJob *job, const char *verb, const char *rest, const char *why, GError **error)
{
    g_autofree char *next = g_strdup_printf("nestctl %s %s%s", verb, nest_job_name(job), rest);
    nest_set_error(error, NEST_ERROR_VM_STATE, next, "%s %s", nest_job_name(job), why);
    return FALSE;
}

static gboolean check_state(NestJob *job, GError **error)
{
    const NestVmFacts *facts = job->reading->facts;
    if (facts->saved_state)
        return wrong_state(job, "start", "",
            "can't be migrated while it is saved: the saved state would stay behind", error);
    if (job->request->migration->offline)
        return nest_power_is_off(facts->state) ||
            wrong_state(job, "shutdown", "", "runs, and was to be migrated while it is off", error);
    return facts->state == NEST_VM_RUNNING || facts->state == NEST_VM_PAUSED ||
        wrong_state(
            job, "migrate", " URI --offline", "does not run: migrate it as it is, offline", error);
}

static guint timeout_of(const NestMigrationWish *wish)
{
    return wish->timeout == 0 ? TIMEOUT_SECONDS : wish->timeout;
}

static gboolean check_wish(const NestMigrationWish *wish, GError **error)
{
    if (!nest_destination_check(wish->to, error))
        return FALSE;
    if (timeout_of(wish) <= TIMEOUT_MAX_SECONDS)
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "give it less time",
        "timeout can't be more than %d seconds", TIMEOUT_MAX_SECONDS);
    return FALSE;
}

/* What was shown of the host here says nothing of the other one. */
static void warn_of_there(NestJob *job)
{
    NestOperation *operation = job->intent->operation;
    if (nest_vm_view_nesting(&job->reading->view) == NEST_NESTING_OFF)
        return;
    char *note = g_strdup_printf("%s%sit is set up for nesting: check it there",
        operation->note != NULL ? operation->note : "", operation->note != NULL ? "; " : "");
    g_free(operation->note);
    operation->note = note;
}

static gboolean prepare(NestJob *job, GError **error)
{
    const NestMigrationWish *wish = job->request->migration;
    Detail detail = {wish->to, wish->offline, timeout_of(wish)};
    nest_job_set_kind(job, "migrate");
    if (!check_wish(wish, error) || !nest_job_read_vm(job, error) || !check_state(job, error) ||
        !nest_job_guard(job, wish->offline ? NEST_GUARD_MIGRATE_OFF : NEST_GUARD_MIGRATE, error))
        return FALSE;
    warn_of_there(job);
    job->intent->detail = nest_codec_to_text(&detail_record, &detail);
    nest_job_add_step(job, &move_step);
    return TRUE;
}

/* After a crash */

static gboolean resume(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    if (detail == NULL)
        return FALSE;
    job->touched = !detail->offline;
    return TRUE;
}

/* libvirt takes a VM away here once it is there, and goes on with one that runs when nestd ends. */
static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading == NULL) {
        *note = "it is not defined here any more, as after a migration: see that it is there";
        return NEST_RECOVERY_DONE;
    }
    if (!job->touched)
        return NEST_RECOVERY_UNTOUCHED;
    *note = "it is still here; whether it is still on its way is not known: look at both hosts";
    return NEST_RECOVERY_LEAVE;
}

const NestJobType nest_job_migrate = {prepare, resume, recover};
