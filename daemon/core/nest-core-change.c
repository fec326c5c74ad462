/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-job-guard.h"
#include "nest-runner.h"

/* Changes: from the main thread to a worker and back. */

#define UNRECORDED_RETRY_SECONDS 5
/* Of each second of the reply's time: who waits for the backend is refused before the reply is
 * late, so that nothing is begun that the client no longer waits for. */
#define WAITING_MS_PER_SECOND 900

gboolean nest_core_resolve(NestCore *core, const char *ref, char **ret_uuid, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_vm(core, ref, &entry, error))
        return FALSE;
    *ret_uuid = g_strdup(entry.uuid);
    return TRUE;
}

gboolean nest_core_check_open(NestCore *core, GError **error)
{
    if (core->stopping) {
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, "try again", "nestd is stopping");
        return FALSE;
    }
    if (core->state == NEST_CORE_UNAVAILABLE) {
        const char *next = core->problem->next;
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE,
            next != NULL ? next : "nestd opens it again by itself",
            "the hypervisor is unavailable: %s", core->problem->detail);
        return FALSE;
    }
    return TRUE;
}

/* ---- requests that wait for the backend ---- */

typedef struct {
    NestCore *core;
    NestWork go; /* with data, once the backend is open */
    gpointer data;
    GTask *task; /* to fail instead */
    GDestroyNotify free_data;
    guint timer;
} Waiting;

static void refuse_one(Waiting *waiting, GError *error)
{
    if (waiting->timer != 0)
        g_source_remove(waiting->timer);
    g_task_return_error(waiting->task, error);
    g_object_unref(waiting->task);
    waiting->free_data(waiting->data);
    g_free(waiting);
}

static gboolean on_waiting_timer(gpointer data)
{
    Waiting *waiting = data;
    GError *error = NULL;
    waiting->timer = 0;
    g_queue_remove(waiting->core->waiting, waiting);
    nest_set_error(&error, NEST_ERROR_BACKEND_OPENING, "try again in a few seconds",
        "the hypervisor is still being opened");
    refuse_one(waiting, error);
    return G_SOURCE_REMOVE;
}

void nest_core_when_open(
    NestCore *core, NestWork go, gpointer data, GDestroyNotify free_data, GTask *task)
{
    if (core->state == NEST_CORE_OPEN) {
        go(data);
        return;
    }
    Waiting *waiting = g_new0(Waiting, 1);
    *waiting = (Waiting){core, go, data, g_object_ref(task), free_data, 0};
    waiting->timer = g_timeout_add(
        core->config->reply_timeout * WAITING_MS_PER_SECOND, on_waiting_timer, waiting);
    g_queue_push_tail(core->waiting, waiting);
}

void nest_core_run_waiting(NestCore *core)
{
    Waiting *waiting;
    while ((waiting = g_queue_pop_head(core->waiting)) != NULL) {
        g_source_remove(waiting->timer);
        waiting->go(waiting->data);
        g_object_unref(waiting->task);
        g_free(waiting);
    }
}

void nest_core_refuse_waiting(NestCore *core)
{
    Waiting *waiting;
    while ((waiting = g_queue_pop_head(core->waiting)) != NULL) {
        GError *error = NULL;
        if (nest_core_check_open(core, &error))
            nest_set_error(&error, NEST_ERROR_BACKEND_UNAVAILABLE, NULL, "nestd is stopping");
        refuse_one(waiting, error);
    }
}

/* ---- submit ---- */

typedef struct {
    NestCore *core;
    NestJob *job;
    GTask *task; /* NULL once answered */
    NestPlan *plan;
    NestOperation *operation;
    GError *error;
} Submission;

static void submission_free(gpointer data)
{
    Submission *submission = data;
    nest_job_free(submission->job);
    g_clear_object(&submission->task);
    nest_plan_free(submission->plan);
    nest_operation_free(submission->operation);
    g_clear_error(&submission->error);
    g_free(submission);
}

/* What a worker sends to the main thread about a job. */
typedef struct {
    Submission *submission;
    NestOperation *operation;
    GPtrArray *cards; /* NestVmCard */
    NestHostSnapshot *host; /* of jobs of the host: as it is now */
    gboolean gone;
    gboolean last;
} News;

static void retry_work(gpointer data)
{
    NestJob *job = data;
    job->unrecorded = !nest_store_finish_operation(job->store, job->intent, NULL);
    g_atomic_int_set(&job->retrying, FALSE);
}

static gboolean forget_recorded(gpointer key, gpointer value, gpointer user_data)
{
    NestJob *job = value;
    return !g_atomic_int_get(&job->retrying) && !job->unrecorded;
}

static gboolean on_retry_timer(gpointer data)
{
    NestCore *core = data;
    GHashTableIter iter;
    gpointer job;
    g_hash_table_foreach_remove(core->unrecorded, forget_recorded, NULL);
    g_hash_table_iter_init(&iter, core->unrecorded);
    while (!core->stopping && g_hash_table_iter_next(&iter, NULL, &job))
        if (g_atomic_int_compare_and_exchange(&((NestJob *)job)->retrying, FALSE, TRUE))
            nest_core_push(core, core->scribe, retry_work, job);
    return g_hash_table_size(core->unrecorded) > 0 && !core->stopping ? G_SOURCE_CONTINUE
                                                                      : G_SOURCE_REMOVE;
}

void nest_core_keep_unrecorded(NestCore *core, NestJob *job)
{
    if (g_hash_table_size(core->unrecorded) == 0)
        g_timeout_add_seconds(UNRECORDED_RETRY_SECONDS, on_retry_timer, core);
    g_hash_table_insert(core->unrecorded, &job->intent->operation->id, job);
}

/* The VM could not be read at the end: whatever is known of it is too old, were it the same. */
static void read_later(NestCore *core, const char *uuid)
{
    NestVmCard *card = nest_inventory_find(core->inventory, uuid);
    if (card != NULL)
        g_clear_pointer(&card->key, g_free);
    nest_core_mark_dirty(core, uuid);
}

/* A reading that began after the last one of the operation was let in before it. It says that the
 * operation is under way, and left it to the last one to tell of drift. */
static gboolean is_overtaken(NestCore *core, const NestVmCard *last)
{
    const NestVmCard *card = nest_inventory_find(core->inventory, last->uuid);
    return card != NULL && card->order > last->order;
}

static void admit_news(NestCore *core, News *news)
{
    const char *uuid = news->operation->uuid;
    gboolean host = news->host != NULL;
    g_autoptr(GPtrArray) cards = g_steal_pointer(&news->cards);
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    if (host)
        nest_core_set_host(core, g_steal_pointer(&news->host));
    if (news->gone)
        g_ptr_array_add(gone, (char *)uuid);
    else if (!host && (cards->len == 0 || is_overtaken(core, g_ptr_array_index(cards, 0))))
        read_later(core, uuid);
    nest_core_admit(core, cards, gone);
    if (host)
        nest_core_reconcile(core);
}

static void finish_submission(Submission *submission)
{
    NestCore *core = submission->core;
    nest_operations_release(core->operations, nest_job_uuid(submission->job));
    NestJob *follow = submission->job->follow;
    if (follow != NULL && follow->unrecorded)
        nest_core_keep_unrecorded(core, g_steal_pointer(&submission->job->follow));
    if (submission->job->unrecorded)
        nest_core_keep_unrecorded(core, g_steal_pointer(&submission->job));
    submission_free(submission);
}

static void on_news(gpointer data)
{
    g_autofree News *news = data;
    NestCore *core = news->submission->core;
    nest_operations_update(core->operations, news->operation, NULL);
    if (news->last) {
        admit_news(core, news);
        finish_submission(news->submission);
    }
    nest_operation_free(news->operation);
}

/* What libvirt offers follows the module that was loaded anew. Where it can't tell, what it offered
 * before stands until it is asked again. */
static NestHostSnapshot *take_host(NestCore *core, const NestJob *job)
{
    g_autoptr(NestBackendCaps) caps = NULL;
    g_autoptr(GError) error = NULL;
    if (!core->backend->ops->caps(core->backend, &caps, &error))
        g_warning("what libvirt offers after the change can't be told: %s", error->message);
    g_autoptr(NestNetDefinitions) definitions = nest_net_definitions_take(core->backend);
    return nest_host_snapshot_take_with(
        core->place, caps != NULL ? caps : job->host->caps, definitions);
}

static void add_card(News *news, NestHostSnapshot *host, const char *uuid)
{
    NestCore *core = news->submission->core;
    g_autoptr(GError) error = NULL;
    guint64 order = nest_core_next_order(core);
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_take(core->backend, host, core->marks, uuid, &error);
    news->gone = reading == NULL && nest_error_code(error) == NEST_ERROR_VM_NOT_FOUND;
    if (reading == NULL)
        return;
    NestVmCard *card = nest_vm_card_make(reading, core->config->parity);
    card->order = order;
    g_ptr_array_add(news->cards, card);
}

/* The host is part of what is said of each VM. What can't be listed now is read again anyway. */
static void add_all_cards(News *news)
{
    NestBackend *backend = news->submission->core->backend;
    g_autoptr(GPtrArray) all = NULL;
    if (!backend->ops->list(backend, &all, NULL))
        return;
    for (guint i = 0; i < all->len; i++)
        add_card(news, news->host, ((NestVmFacts *)g_ptr_array_index(all, i))->uuid);
    news->gone = FALSE;
}

static void read_outcome(Submission *submission, News *news)
{
    const NestJob *job = submission->job;
    news->cards = g_ptr_array_new();
    if (nest_job_uuid(job) != NULL) {
        add_card(news, job->host, nest_job_uuid(job));
        return;
    }
    news->host = take_host(submission->core, job);
    add_all_cards(news);
}

/* On the worker. The VM, or of the host all, is read before the end is told, so that who waited for
 * the end sees it. */
static void report(NestJob *job)
{
    Submission *submission = job->report_data;
    News *news = g_new0(News, 1);
    news->submission = submission;
    news->operation = nest_operation_copy(job->intent->operation);
    news->last = nest_operation_ended(news->operation);
    if (news->last)
        read_outcome(submission, news);
    nest_core_post(on_news, news);
}

static void answered(Submission *submission)
{
    g_autoptr(GTask) task = g_steal_pointer(&submission->task);
    g_task_set_task_data(task, submission->plan, (GDestroyNotify)nest_plan_free);
    submission->plan = NULL;
    if (submission->error != NULL)
        g_task_return_error(task, g_steal_pointer(&submission->error));
    else
        g_task_return_pointer(
            task, g_steal_pointer(&submission->operation), (GDestroyNotify)nest_operation_free);
}

/* Refused, or nothing to do. */
static void on_declined(gpointer data)
{
    Submission *submission = data;
    answered(submission);
    finish_submission(submission);
}

static void on_begun(gpointer data)
{
    Submission *submission = data;
    NestCore *core = submission->core;
    nest_operations_update(core->operations, submission->operation, submission->job->cancellable);
    const char *uuid = submission->operation->uuid;
    NestVmCard *card = uuid != NULL ? nest_inventory_find(core->inventory, uuid) : NULL;
    if (card != NULL && nest_vm_card_complete(card, core->store, NULL))
        nest_vm_card_set_operation(card, submission->operation->id);
    answered(submission);
}

static void job_work(gpointer data)
{
    Submission *submission = data;
    NestCore *core = submission->core;
    NestJob *job = submission->job;
    const NestHostSnapshot *known = g_task_get_task_data(submission->task);
    g_autoptr(NestNetDefinitions) definitions = job->request->nested != NULL
        ? nest_net_definitions_take(core->backend)
        : nest_net_definitions_ref(known->net->definitions);
    job->host = nest_host_snapshot_take_with(core->place, known->caps, definitions);
    gboolean ready = job->type->prepare(job, &submission->error);
    submission->plan = g_steal_pointer(&job->plan);
    if (!ready || job->n_steps == 0 ||
        !nest_store_begin_operation(core->store, job->intent, &submission->error)) {
        nest_core_post(on_declined, submission);
        return;
    }
    submission->operation = nest_operation_copy(job->intent->operation);
    nest_core_post(on_begun, submission);
    nest_runner_run(job);
}

static void submit_go(gpointer data)
{
    Submission *submission = data;
    NestCore *core = submission->core;
    GError *error = NULL;
    const char *uuid = nest_job_uuid(submission->job);
    const NestRequest *request = submission->job->request;
    const char *name = uuid == NULL ? "the host"
        : request->vm != NULL       ? request->vm
                                    : request->spec->name;
    if (!nest_operations_claim(core->operations, uuid, name, &error)) {
        g_task_return_error(submission->task, error);
        submission_free(submission);
        return;
    }
    g_task_set_task_data(submission->task, nest_host_snapshot_ref(core->host),
        (GDestroyNotify)nest_host_snapshot_unref);
    nest_core_push(core, core->jobs, job_work, submission);
}

/* The UUID that a request is about; a new one for a new VM, none for the host. */
static gboolean resolve_request(
    NestCore *core, const NestRequest *request, char **ret_uuid, GError **error)
{
    if (request->kind == NEST_JOB_HOST_FIX || request->kind == NEST_JOB_HOST_UNDO)
        return TRUE;
    if (request->kind != NEST_JOB_CREATE)
        return nest_core_resolve(core, request->vm, ret_uuid, error);
    if (nest_inventory_find(core->inventory, request->spec->name) != NULL) {
        nest_set_error(error, NEST_ERROR_VM_EXISTS, "choose another name",
            "there is a virtual machine \"%s\" already", request->spec->name);
        return FALSE;
    }
    *ret_uuid = g_uuid_string_random();
    return TRUE;
}

void nest_core_submit_async(NestCore *core, const NestCaller *caller, NestRequest *request,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_autofree char *uuid = NULL;
    GError *error = NULL;
    if (!nest_core_check_open(core, &error) ||
        !nest_job_guard_check_force(request, caller->right, &error) ||
        !resolve_request(core, request, &uuid, &error)) {
        nest_request_free(request);
        g_task_return_error(task, error);
        return;
    }
    Submission *submission = g_new0(Submission, 1);
    submission->core = core;
    submission->task = g_object_ref(task);
    submission->job = nest_job_new(request, uuid, caller);
    submission->job->config = core->config;
    submission->job->recipes = core->recipes->entries;
    submission->job->store = core->store;
    submission->job->backend = core->backend;
    submission->job->hands = core->hands;
    submission->job->marks = core->marks;
    submission->job->sampler = core->sampler;
    submission->job->report = report;
    submission->job->report_data = submission;
    nest_core_when_open(core, submit_go, submission, submission_free, task);
}

gboolean nest_core_submit_finish(NestCore *core, GAsyncResult *result,
    NestOperation **ret_operation, NestPlan **ret_plan, GError **error)
{
    GTask *task = G_TASK(result);
    gboolean failed = g_task_had_error(task);
    NestPlan *plan = g_task_get_task_data(task);
    NestOperation *operation = g_task_propagate_pointer(task, error);
    *ret_plan = plan != NULL ? nest_record_copy(&nest_plan_record, plan) : NULL;
    if (!failed)
        *ret_operation = operation;
    return !failed;
}
