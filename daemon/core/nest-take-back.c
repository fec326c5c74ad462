/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-take-back.h"
#include "nest-error.h"
#include "nest-power.h"
#include "nest-record.h"
#include "nest-runner.h"
#include "nest-undo.h"
#include <string.h>

/* So many changes may have come after enable. */
#define LOOK_BACK 20

/* What QEMU and libvirt say where there is not enough memory: QEMU's "cannot set up guest memory
 * 'pc.ram': Cannot allocate memory" comes as an internal error of libvirt. */
static gboolean tells_of_memory(const char *message)
{
    static const char *const words[] = {
        "annot allocate memory", "set up guest memory", "nsufficient free host memory"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(message, words[i]) != NULL)
            return TRUE;
    return FALSE;
}

static gboolean needs_more_memory(const char *before, const char *after)
{
    g_autoptr(NestDomain) old = nest_domain_read(before, NULL);
    g_autoptr(NestDomain) new = nest_domain_read(after, NULL);
    return old != NULL && new != NULL &&
        (new->memory_kib > old->memory_kib || new->current_memory_kib > old->current_memory_kib ||
            (old->balloon && !new->balloon));
}

/* What is said of the things that enable changes (ids as in nest-undo.h). */
static const struct {
    const char *id, *words;
} themes[] = {
    {"extensions", "cpu|vmx|svm"},
    {"memory", "memory"},
    {"balloon", "balloon|memballoon"},
    {"mac-spoofing", "filter|nwfilter"},
    {"port-isolation", "isolated|isolation"},
};

/* Names of files are no words. What comes before the first colon may name the VM. */
static gboolean has_word(const char *message, const char *words)
{
    const char *colon = strstr(message, ": ");
    g_autofree char *pattern =
        g_strdup_printf("(?<![[:alnum:]/-])(%s)(?![[:alnum:]/-]|\\.[[:alnum:]])", words);
    return g_regex_match_simple(pattern, colon != NULL ? colon + 2 : message, G_REGEX_CASELESS, 0);
}

static void free_item(gpointer item)
{
    nest_plan_item_free(item);
}

static gboolean tells_of_what_changed(const char *message, const char *before, const char *after)
{
    g_autoptr(GPtrArray) changes = nest_undo_changes(before, after);
    g_ptr_array_set_free_func(changes, free_item);
    for (guint i = 0; i < changes->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(changes, i);
        for (guint t = 0; t < G_N_ELEMENTS(themes); t++)
            if (strcmp(themes[t].id, item->id) == 0 && has_word(message, themes[t].words))
                return TRUE;
    }
    return FALSE;
}

gboolean nest_take_back_blames(const GError *failure, const char *before, const char *after)
{
    switch (nest_error_code(failure)) {
    case NEST_ERROR_HOST_UNFIT:
        return TRUE;
    case NEST_ERROR_UNSUPPORTED:
        return tells_of_what_changed(failure->message, before, after);
    case NEST_ERROR_HYPERVISOR:
        return tells_of_memory(failure->message) && needs_more_memory(before, after);
    default:
        return FALSE;
    }
}

/* The revision that enable made, where the VM has not started since, and only nestd has changed it;
 * else NULL. */
static NestStoredRevision *standing_revision(const NestJob *job)
{
    g_autoptr(GPtrArray) history = NULL;
    const NestVmMarks *marks = job->reading->view.marks;
    if (marks == NULL || !marks->fresh ||
        !nest_store_revisions(job->store, nest_job_uuid(job), 0, LOOK_BACK, &history, NULL))
        return NULL;
    for (guint i = 0; i < history->len; i++) {
        const NestStoredRevision *revision = g_ptr_array_index(history, i);
        if (i == 0 && !nest_domain_same(job->reading->facts->xml, revision->after_xml))
            return NULL;
        if (g_strcmp0(revision->kind, "enable") == 0)
            return revision->before_xml != NULL ? g_ptr_array_steal_index(history, i) : NULL;
    }
    return NULL;
}

/* A job that undoes the revision, in the name of who asked for the start. */
static NestJob *undo_job(const NestJob *job, gint64 revision)
{
    const NestOperation *operation = job->intent->operation;
    NestCaller caller = {.uid = operation->uid, .pid = operation->pid, .right = job->right};
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_UNDO;
    request->vm = g_strdup(nest_job_uuid(job));
    request->undo = nest_record_new(&nest_undo_wish_record);
    request->undo->to = revision;
    NestJob *undo = nest_job_new(request, nest_job_uuid(job), &caller);
    undo->config = job->config;
    undo->store = job->store;
    undo->backend = job->backend;
    undo->hands = job->hands;
    undo->marks = job->marks;
    undo->sampler = job->sampler;
    undo->host = nest_host_snapshot_ref(job->host);
    return undo;
}

/* TRUE once the earlier definition is back; job->follow is the operation. */
static gboolean undo(NestJob *job, const NestStoredRevision *revision, GError **error)
{
    job->follow = undo_job(job, revision->id);
    if (!job->follow->type->prepare(job->follow, error))
        return FALSE;
    if (!nest_power_is_off(job->follow->reading->facts->state)) {
        nest_set_error(error, NEST_ERROR_VM_STATE, NULL, "it is not off");
        return FALSE;
    }
    if (job->follow->n_steps == 0 ||
        !nest_store_begin_operation(job->store, job->follow->intent, error))
        return job->follow->n_steps == 0;
    nest_runner_run(job->follow);
    const NestOperation *ended = job->follow->intent->operation;
    if (ended->state == NEST_OP_DONE)
        return TRUE;
    nest_problem_to_error(ended->problem, error);
    return FALSE;
}

void nest_take_back(NestJob *job, GError *failure, GError **error)
{
    g_autoptr(GError) cause = failure, problem = NULL;
    g_autoptr(NestStoredRevision) revision = standing_revision(job);
    const char *name = nest_job_name(job);
    NestErrorCode code = nest_error_code(cause);
    gboolean blamed =
        revision != NULL && nest_take_back_blames(cause, revision->before_xml, revision->after_xml);
    if (revision == NULL ||
        (!blamed && code != NEST_ERROR_HYPERVISOR && code != NEST_ERROR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return;
    }
    gboolean on_top = !nest_domain_same(job->reading->facts->xml, revision->after_xml);
    g_autofree char *by_hand = g_strdup_printf(
        on_top ? "nestctl undo %s, until enable is undone too" : "nestctl undo %s", name);
    if (!blamed)
        nest_set_error(error, code, nest_error_get_next(cause),
            "%s; nesting stays switched on, for this does not look like its fault (if it is: %s)",
            cause->message, by_hand);
    else if (on_top)
        nest_set_error(error, code, by_hand,
            "%s; nesting was not taken back, because %s was changed after enable", cause->message,
            name);
    else if (undo(job, revision, &problem))
        nest_set_error(error, code, "see 'nestctl status' for why, or start it as it was before",
            "%s; so nesting was taken back, and %s has the definition again that it had before "
            "enable",
            cause->message, name);
    else
        nest_set_error(error, code, by_hand, "%s; nesting could not be taken back: %s",
            cause->message, problem->message);
}
