/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-guest-talk.h"
#include "nest-inner-spec.h"
#include "nest-inner.h"
#include "nest-job.h"
#include "nest-tree-sum.h"
#include <string.h>

/* Inner VMs: make one, start it, stop it, delete it. What is there is seen by listing them, before
 * and after.
 */

#define LOOK_SECONDS 30
#define CHECK_SECONDS 120 /* to read back: what was done is not to fail for that */
#define WORK_SECONDS 120
#define TIMEOUT_MAX_SECONDS (24 * 60 * 60)
#define LOOK_AGAIN_MS 500

/* What is known of it once nestd was interrupted, kept in the intent. */
typedef struct {
    char *name, *by;
    gboolean start; /* of one to be made */
} Detail;

static const NestField detail_fields[] = {
    {"name", NEST_FIELD_STRING, NEST_FIELD_REQUIRED, offsetof(Detail, name), NULL, NULL},
    {"by", NEST_FIELD_STRING, NEST_FIELD_REQUIRED, offsetof(Detail, by), NULL, NULL},
    {"start", NEST_FIELD_BOOL, NEST_FIELD_OPTIONAL, offsetof(Detail, start), NULL, NULL},
};
static const NestRecord detail_record = {
    "inner virtual machine", sizeof(Detail), detail_fields, G_N_ELEMENTS(detail_fields)};

static void detail_free(Detail *detail)
{
    nest_record_free(&detail_record, detail);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Detail, detail_free)

static Detail *read_detail(const NestJob *job, GError **error)
{
    return nest_codec_from_text(&detail_record, job->intent->detail, -1, NEST_CODEC_LENIENT, error);
}

static void set_detail(NestJob *job, const char *name, const char *by, gboolean start)
{
    const Detail detail = {(char *)name, (char *)by, start};
    job->intent->detail = nest_codec_to_text(&detail_record, &detail);
}

static void note(NestJob *job, const char *text)
{
    char **place = &job->intent->operation->note;
    char *both = *place != NULL ? g_strdup_printf("%s; %s", *place, text) : g_strdup(text);
    g_free(*place);
    *place = both;
}

/* ---- steps ---- */

/* *ret_vm: NULL where it is not there. One of several that are called so is not told by its name.
 */
static gboolean find(
    const NestInner *inner, const Detail *detail, const NestInnerVm **ret_vm, GError **error)
{
    g_autoptr(GError) cause = NULL;
    *ret_vm = nest_inner_find(inner, detail->name, detail->by, &cause);
    if (cause == NULL || nest_error_code(cause) == NEST_ERROR_VM_NOT_FOUND)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

/* As it is now. *ret_vm: NULL where it is not there. */
static gboolean look(NestJob *job, const NestInnerVm **ret_vm, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    if (detail == NULL || !nest_inner_look(job->inner, CHECK_SECONDS, NULL, error))
        return FALSE;
    if (!nest_inner_answered(job->inner, detail->by)) {
        nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "nestctl guest list says why",
            "%s in the guest can't be asked what became of it", detail->by);
        return FALSE;
    }
    return find(job->inner, detail, ret_vm, error);
}

static gboolean not_verified(const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "see what its hypervisor says, in the guest",
        "the inner virtual machine was %s", what);
    return FALSE;
}

/* One that is there though its hypervisor said no may be somebody else's. */
static void note_namesake(NestJob *job)
{
    const NestInnerVm *vm = NULL;
    if (!look(job, &vm, NULL) || vm == NULL)
        return;
    job->stays = TRUE;
    note(job, "one of that name is there all the same: see nestctl guest list");
}

static gboolean make(NestJob *job, GError **error)
{
    const NestInnerSpec *spec = job->request->inner;
    g_autoptr(Detail) detail = read_detail(job, error);
    g_autoptr(GError) cause = NULL;
    const NestInnerVm *vm = NULL;
    if (detail == NULL || !nest_inner_look(job->inner, WORK_SECONDS, job->cancellable, error) ||
        nest_inner_choose(job->inner, spec, error) == NULL)
        return FALSE;
    job->touched = TRUE;
    if (nest_inner_create(job->inner, nest_inner_way_find(detail->by), spec, &cause))
        return look(job, &vm, error) &&
            (vm != NULL || not_verified("made, but is not there", error));
    job->touched = !nest_inner_is_refused(job->inner, cause);
    job->partly = nest_inner_is_loose(job->inner);
    if (!job->touched)
        note_namesake(job);
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean is_gone(const NestJob *job, GError **error)
{
    if (job->partly)
        nest_set_error(error, NEST_ERROR_NOT_VERIFIED,
            "nestctl guest list shows it once it is there",
            "it is not there, but may still be being made in the guest");
    return !job->partly;
}

/* What was not made here is somebody else's. */
static gboolean unmake(NestJob *job, GError **error)
{
    const NestInnerVm *vm = NULL;
    if (!job->touched)
        return TRUE;
    if (!look(job, &vm, error))
        return FALSE;
    if (vm == NULL)
        return is_gone(job, error);
    if (nest_tree_sum_is_active(vm->state) &&
        (!nest_inner_power(job->inner, vm, FALSE, error) || !look(job, &vm, error)))
        return FALSE;
    return vm == NULL ||
        (nest_inner_remove(job->inner, vm, error) && look(job, &vm, error) &&
            (vm == NULL || not_verified("removed, but is still there", error)));
}

/* It was asked for, but failed, and nothing takes it back: the operation must not end as if nothing
 * had changed unless that is so. may_come: what has not changed yet may still. */
static void own_up(NestJob *job, NestVmState before, gboolean may_come)
{
    const NestInnerVm *vm = NULL;
    g_autofree char *now = NULL;
    if (job->request->inner != NULL) /* made here, and deleted again */
        return;
    if (!look(job, &vm, NULL))
        now = g_strdup("what came of it can't be seen: ask nestctl guest list later");
    else if (vm == NULL)
        now = g_strdup("it is gone now");
    else if (vm->state != before)
        now = g_strdup_printf("it is %s now", nest_nick(nest_vm_state_nicks, vm->state));
    else if (may_come)
        now = g_strdup("it may still be carried out: ask nestctl guest list later");
    if (now == NULL)
        return;
    job->stays = TRUE;
    note(job, now);
}

typedef gboolean (*Ask)(NestInner *inner, const NestInnerVm *vm, GError **error);

/* *vm: before and after. */
static gboolean ask_and_look(NestJob *job, Ask ask, const NestInnerVm **vm, GError **error)
{
    NestVmState before = (*vm)->state;
    g_autoptr(GError) cause = NULL;
    if (ask(job->inner, *vm, &cause) && look(job, vm, &cause))
        return TRUE;
    own_up(job, before, !nest_inner_is_refused(job->inner, cause));
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean power_on(NestInner *inner, const NestInnerVm *vm, GError **error)
{
    return nest_inner_power(inner, vm, TRUE, error);
}

static gboolean power_off(NestInner *inner, const NestInnerVm *vm, GError **error)
{
    return nest_inner_power(inner, vm, FALSE, error);
}

static gboolean set_running(NestJob *job, Ask ask, NestVmState *ret_state, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    const NestInnerVm *vm = NULL;
    if (detail == NULL || !nest_inner_look(job->inner, WORK_SECONDS, job->cancellable, error))
        return FALSE;
    vm = nest_inner_find(job->inner, detail->name, detail->by, error);
    if (vm == NULL || !ask_and_look(job, ask, &vm, error))
        return FALSE;
    *ret_state = vm != NULL ? vm->state : NEST_VM_UNKNOWN;
    return TRUE;
}

/* One that shuts down at once has been started, too. */
static gboolean start(NestJob *job, GError **error)
{
    NestVmState state = NEST_VM_UNKNOWN;
    if (!set_running(job, power_on, &state, error))
        return FALSE;
    if (!nest_tree_sum_is_active(state))
        note(job, "it does not run any more: see nestctl guest console");
    return TRUE;
}

static gboolean still_runs(const NestJob *job, guint seconds, GError **error)
{
    g_autofree char *next =
        g_strdup_printf("nestctl guest stop --force %s %s", nest_job_name(job), job->request->item);
    nest_set_error(error, NEST_ERROR_TIMEOUT, next,
        "%s in %s was asked to shut down and still runs after %u s", job->request->item,
        nest_job_name(job), seconds);
    return FALSE;
}

static gboolean await_off(NestJob *job, gint64 deadline, guint seconds, GError **error)
{
    const NestInnerVm *vm = NULL;
    while (look(job, &vm, error)) {
        if (vm == NULL || !nest_tree_sum_is_active(vm->state))
            return TRUE;
        if (g_get_monotonic_time() >= deadline)
            return still_runs(job, seconds, error);
        nest_guest_talk_rest(LOOK_AGAIN_MS, job->cancellable);
        if (g_cancellable_set_error_if_cancelled(job->cancellable, NULL)) {
            nest_set_error(error, NEST_ERROR_ABORTED, NULL, "it was aborted on request");
            return FALSE;
        }
    }
    return FALSE;
}

/* A hypervisor that waits itself tells of its own deadline in its own words. */
static gboolean ask_to_shut_down(NestJob *job, const NestInnerVm *vm, GError **error)
{
    const NestInnerWish *wish = job->request->inner_state;
    guint seconds = wish->timeout > 0 ? wish->timeout : job->config->shutdown_timeout;
    gint64 deadline = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    g_autoptr(GError) cause = NULL;
    if (nest_inner_shut_down(job->inner, vm, seconds, job->cancellable, &cause) ||
        (nest_error_code(cause) != NEST_ERROR_ABORTED && g_get_monotonic_time() >= deadline))
        return await_off(job, deadline, seconds, error);
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

/* That it was asked changes nothing: it is free not to hear. */
static gboolean shut_down(NestJob *job, GError **error)
{
    g_autoptr(GError) cause = NULL;
    const NestInnerVm *vm = NULL;
    if (!look(job, &vm, error))
        return FALSE;
    if (vm == NULL)
        return TRUE;
    NestVmState before = vm->state;
    if (ask_to_shut_down(job, vm, &cause))
        return TRUE;
    if (nest_error_code(cause) == NEST_ERROR_ABORTED)
        note(job, "it was asked to shut down, and may still do so");
    else
        own_up(job, before, FALSE);
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean stop(NestJob *job, GError **error)
{
    NestVmState state = NEST_VM_UNKNOWN;
    return set_running(job, power_off, &state, error) &&
        (!nest_tree_sum_is_active(state) || not_verified("stopped, but still runs", error));
}

static gboolean check_off(const NestJob *job, const NestInnerVm *vm, GError **error)
{
    if (vm->state == NEST_VM_OFF || vm->state == NEST_VM_SAVED || vm->state == NEST_VM_CRASHED)
        return TRUE;
    g_autofree char *next =
        g_strdup_printf("nestctl guest stop %s %s", nest_job_name(job), vm->name);
    nest_set_error(error, NEST_ERROR_VM_STATE, next,
        "%s in %s is %s, and can't be deleted before it is off", vm->name, nest_job_name(job),
        nest_nick(nest_vm_state_nicks, vm->state));
    return FALSE;
}

/* What somebody else has deleted meanwhile is gone as well. */
static gboolean take_away(NestJob *job, GError **error)
{
    const NestInnerVm *vm = NULL;
    if (!look(job, &vm, error))
        return FALSE;
    if (vm == NULL)
        return TRUE;
    if (!check_off(job, vm, error) || !ask_and_look(job, nest_inner_remove, &vm, error))
        return FALSE;
    job->stays = TRUE; /* its disk may be gone */
    return vm == NULL || not_verified("removed, but is still there", error);
}

static const NestJobStep make_step = {"make", "inner VM made", make, unmake, FALSE};
static const NestJobStep start_step = {"start", "inner VM started", start, NULL, FALSE};
static const NestJobStep shut_down_step = {"shutdown", "inner VM shut down", shut_down, NULL, TRUE};
static const NestJobStep stop_step = {"stop", "inner VM stopped", stop, NULL, TRUE};
static const NestJobStep delete_step = {"delete", "inner VM deleted", take_away, NULL, TRUE};

/* ---- what is to be done ---- */

static const NestDomain *what_runs(const NestJob *job)
{
    return job->reading->live != NULL ? job->reading->live : job->reading->domain;
}

static gboolean prepare_create(NestJob *job, GError **error)
{
    const NestInnerSpec *spec = job->request->inner;
    const NestDomain *domain = what_runs(job);
    const NestInnerWay *way = nest_inner_choose(job->inner, spec, error);
    if (way == NULL)
        return FALSE;
    set_detail(job, spec->name, way->id, spec->start);
    g_autofree char *whose = g_strdup_printf("%s, of %s", spec->name, way->id);
    note(job, whose);
    g_auto(GStrv) warnings =
        nest_inner_spec_warn(spec, nest_inner_sum(job->inner), domain->memory_kib, domain->vcpus);
    for (guint i = 0; warnings[i] != NULL; i++)
        note(job, warnings[i]);
    nest_job_add_step(job, &make_step);
    if (spec->start)
        nest_job_add_step(job, &start_step);
    return TRUE;
}

static void choose(NestJob *job, const NestInnerVm *vm)
{
    set_detail(job, vm->name, vm->by, FALSE);
    g_autofree char *whose = g_strdup_printf("%s, of %s", vm->name, vm->by);
    note(job, whose);
}

/* What stands still does not hear that it is asked. */
static gboolean check_can_hear(const NestJob *job, const NestInnerVm *vm, GError **error)
{
    if (vm->state != NEST_VM_PAUSED)
        return TRUE;
    g_autofree char *next =
        g_strdup_printf("nestctl guest stop --force %s %s", nest_job_name(job), vm->name);
    nest_set_error(error, NEST_ERROR_VM_STATE, next,
        "%s in %s is paused, and can't be asked to shut down", vm->name, nest_job_name(job));
    return FALSE;
}

static gboolean prepare_state(NestJob *job, GError **error)
{
    const NestInnerWish *wish = job->request->inner_state;
    gboolean run = wish->state == NEST_VM_RUNNING;
    const NestInnerVm *vm = nest_inner_find(job->inner, job->request->item, wish->by, error);
    if (vm == NULL)
        return FALSE;
    if (vm->state == wish->state)
        return TRUE;
    if (!nest_inner_check_managed(vm, error) ||
        (!run && !wish->force && !check_can_hear(job, vm, error)))
        return FALSE;
    choose(job, vm);
    nest_job_add_step(job, run ? &start_step : wish->force ? &stop_step : &shut_down_step);
    return TRUE;
}

static gboolean prepare_delete(NestJob *job, GError **error)
{
    const NestInnerVm *vm =
        nest_inner_find(job->inner, job->request->item, job->request->by, error);
    if (vm == NULL || !nest_inner_check_managed(vm, error) || !check_off(job, vm, error))
        return FALSE;
    choose(job, vm);
    nest_job_add_step(job, &delete_step);
    return TRUE;
}

static gboolean check_wish(const NestInnerWish *wish, GError **error)
{
    if (wish->timeout > TIMEOUT_MAX_SECONDS) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "timeout can't be more than %d seconds", TIMEOUT_MAX_SECONDS);
        return FALSE;
    }
    if (wish->state == NEST_VM_RUNNING || wish->state == NEST_VM_OFF)
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "ask for running or off",
        "an inner virtual machine can't be brought into that state");
    return FALSE;
}

static gboolean check_runs(const NestJob *job, GError **error)
{
    if (job->reading->facts->state == NEST_VM_RUNNING)
        return TRUE;
    g_autofree char *next = g_strdup_printf("nestctl start %s", nest_job_name(job));
    nest_set_error(error, NEST_ERROR_VM_STATE, next,
        "%s does not run, and what is in it can't be asked for anything", nest_job_name(job));
    return FALSE;
}

static const char *kind_of(const NestRequest *request)
{
    if (request->inner != NULL)
        return "guest-create";
    if (request->inner_state == NULL)
        return "guest-delete";
    return request->inner_state->state == NEST_VM_RUNNING ? "guest-start" : "guest-stop";
}

static gboolean prepare(NestJob *job, GError **error)
{
    const NestInnerSpec *spec = job->request->inner;
    const NestInnerWish *wish = job->request->inner_state;
    nest_job_set_kind(job, kind_of(job->request));
    if ((wish != NULL && !check_wish(wish, error)) || !nest_job_read_vm(job, error) ||
        (spec != NULL && !nest_inner_spec_check(spec, what_runs(job)->memory_kib, error)) ||
        !check_runs(job, error))
        return FALSE;
    job->inner =
        nest_inner_visit(job->backend, nest_job_uuid(job), LOOK_SECONDS, job->cancellable, error);
    if (job->inner == NULL)
        return FALSE;
    if (spec != NULL)
        return prepare_create(job, error);
    return wish != NULL ? prepare_state(job, error) : prepare_delete(job, error);
}

/* vm: as it is found, NULL where it is not there. */
static gboolean is_done(const char *kind, const Detail *detail, const NestInnerVm *vm)
{
    gboolean runs = vm != NULL && nest_tree_sum_is_active(vm->state);
    if (strcmp(kind, "guest-create") == 0)
        return vm != NULL && (!detail->start || runs);
    if (strcmp(kind, "guest-delete") == 0)
        return vm == NULL;
    return strcmp(kind, "guest-stop") == 0 ? !runs : runs;
}

/* What is there is looked up here: recover() is pure. */
static gboolean resume(NestJob *job, GError **error)
{
    g_autoptr(Detail) detail = read_detail(job, error);
    const NestInnerVm *vm = NULL;
    g_autoptr(GError) silent = NULL;
    if (detail == NULL)
        return FALSE;
    job->inner = nest_inner_visit(job->backend, nest_job_uuid(job), LOOK_SECONDS, NULL, &silent);
    if (job->inner != NULL &&
        (!nest_inner_answered(job->inner, detail->by) || !find(job->inner, detail, &vm, NULL)))
        g_clear_pointer(&job->inner, nest_inner_free);
    if (job->inner == NULL)
        return TRUE;
    job->touched = is_done(job->intent->operation->kind, detail, vm);
    job->partly =
        strcmp(job->intent->operation->kind, "guest-create") == 0 && vm != NULL && !job->touched;
    return TRUE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **ret_note)
{
    if (job->inner == NULL) {
        *ret_note = "whether it was carried out is not known, for the guest can't be asked";
        return NEST_RECOVERY_LEAVE;
    }
    if (job->partly) {
        *ret_note = "the inner virtual machine was made, and does not run yet";
        return NEST_RECOVERY_LEAVE;
    }
    if (!job->touched) {
        *ret_note = "what was asked for may still be under way in the guest: nestctl guest list "
                    "shows what came of it";
        return NEST_RECOVERY_LEAVE;
    }
    return NEST_RECOVERY_DONE;
}

const NestJobType nest_job_inner = {prepare, resume, recover};
