/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"

#define READERS 4
#define MONITOR_SECONDS_MAX 20
#define KEEP_OPERATIONS 10000
#define KEEP_EVENTS 100000

typedef struct {
    NestCore *core;
    NestWork work;
    gpointer data;
} Task;

static void run_task(gpointer data, gpointer user_data)
{
    g_autofree Task *task = data;
    task->work(task->data);
    if (g_atomic_int_dec_and_test(&task->core->busy))
        g_main_context_wakeup(NULL); /* nest_core_stop() waits for this */
}

void nest_core_push(NestCore *core, GThreadPool *pool, NestWork work, gpointer data)
{
    Task *task = g_new(Task, 1);
    *task = (Task){core, work, data};
    g_atomic_int_inc(&core->busy);
    g_thread_pool_push(pool, task, NULL);
}

typedef struct {
    NestWork func;
    gpointer data;
} Post;

static gboolean run_post(gpointer data)
{
    Post *post = data;
    post->func(post->data);
    return G_SOURCE_REMOVE;
}

void nest_core_post(NestWork func, gpointer data)
{
    Post *post = g_new(Post, 1);
    *post = (Post){func, data};
    g_idle_add_full(G_PRIORITY_DEFAULT, run_post, post, g_free);
}

/* ---- events ---- */

typedef struct {
    NestEventsFunc func;
    gpointer user_data;
} Watch;

static void tell_watches(gpointer data)
{
    NestCore *core = data;
    g_atomic_int_set(&core->events_pending, 0);
    g_autoptr(GList) ids = g_hash_table_get_keys(core->watches);
    for (GList *l = ids; l != NULL; l = l->next) {
        Watch *watch = g_hash_table_lookup(core->watches, l->data);
        if (watch != NULL)
            watch->func(watch->user_data);
    }
}

/* On the thread that committed. */
static void on_store_events(gpointer user_data)
{
    NestCore *core = user_data;
    if (g_atomic_int_compare_and_exchange(&core->events_pending, 0, 1))
        nest_core_post(tell_watches, core);
}

guint nest_core_watch_events(NestCore *core, NestEventsFunc func, gpointer user_data)
{
    Watch *watch = g_new(Watch, 1);
    *watch = (Watch){func, user_data};
    guint id = ++core->next_watch;
    g_hash_table_insert(core->watches, GUINT_TO_POINTER(id), watch);
    return id;
}

void nest_core_unwatch_events(NestCore *core, guint id)
{
    g_hash_table_remove(core->watches, GUINT_TO_POINTER(id));
}

GPtrArray *nest_core_events(NestCore *core, gint64 after, guint limit, GError **error)
{
    GPtrArray *events = NULL;
    return nest_store_events(core->store, after, limit, &events, error) ? events : NULL;
}

gint64 nest_core_last_event(NestCore *core)
{
    gint64 id = 0;
    nest_store_last_event(core->store, &id, NULL);
    return id;
}

/* ---- VMs ---- */

static NestVmEntry entry_of(const NestVmCard *card)
{
    return (NestVmEntry){card->uuid, card->name, card->revision, card->text, card->summary,
        card->brief != NULL ? card->brief : card->text};
}

gboolean nest_core_vm(NestCore *core, const char *ref, NestVmEntry *ret_entry, GError **error)
{
    NestVmCard *card = nest_inventory_find(core->inventory, ref);
    if (card == NULL) {
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, "nestctl list shows those that are there",
            "there is no virtual machine \"%s\"", ref);
        return FALSE;
    }
    if (!nest_vm_card_complete(card, core->store, error))
        return FALSE;
    *ret_entry = entry_of(card);
    return TRUE;
}

const GArray *nest_core_vms(NestCore *core)
{
    const GPtrArray *cards = nest_inventory_all(core->inventory);
    g_array_set_size(core->entries, 0);
    for (guint i = 0; i < cards->len; i++) {
        NestVmEntry entry = entry_of(g_ptr_array_index(cards, i));
        g_array_append_val(core->entries, entry);
    }
    return core->entries;
}

const GArray *nest_core_vms_whole(NestCore *core, GError **error)
{
    const GPtrArray *cards = nest_inventory_all(core->inventory);
    for (guint i = 0; i < cards->len; i++)
        if (!nest_vm_card_complete(g_ptr_array_index(cards, i), core->store, error))
            return NULL;
    return nest_core_vms(core);
}

NestAbout *nest_core_about(NestCore *core)
{
    static const char *const states[] = {"opening", "open", "unavailable"};
    NestAbout *about = nest_record_new(&nest_about_record);
    /* Until then what is shown of VMs is what was stored. */
    gboolean unread = core->state == NEST_CORE_OPEN && !core->listed;
    about->version = g_strdup(NEST_VERSION);
    about->backend = g_strdup(states[unread ? NEST_CORE_OPENING : core->state]);
    if (core->host != NULL && core->host->caps != NULL)
        about->backend_uri = g_strdup(core->host->caps->uri);
    about->problem = nest_problem_copy(core->problem);
    about->started = core->started;
    about->vms = nest_inventory_size(core->inventory);
    return about;
}

/* ---- life ---- */

static gboolean load_inventory(NestCore *core, GError **error)
{
    g_autoptr(GPtrArray) stored = NULL;
    if (!nest_store_vms(core->store, &stored, error))
        return FALSE;
    for (guint i = 0; i < stored->len; i++)
        nest_inventory_put(
            core->inventory, nest_vm_card_from_store(g_ptr_array_index(stored, i)), NULL);
    return TRUE;
}

/* A file of advisories that is wrong is worth a line, and nothing more. */
static NestHostPlace *make_place(const NestConfig *config)
{
    g_autoptr(NestAdvisories) advisories = nest_advisories_load(config->advisories);
    for (guint i = 0; advisories->problems[i] != NULL; i++)
        g_warning("advisories: %s", advisories->problems[i]);
    NestHostPlace *place = nest_host_place_new(config->host_root, advisories);
    nest_host_place_set_policy(place, config->policy);
    return place;
}

static NestRecipes *load_recipes(const NestConfig *config)
{
    NestRecipes *recipes = nest_recipes_load(config->recipes);
    for (guint i = 0; recipes->problems[i] != NULL; i++)
        g_warning("recipes: %s", recipes->problems[i]);
    return recipes;
}

NestCore *nest_core_new(
    const NestConfig *config, NestStore *store, NestBackend *backend, NestHostHands *hands)
{
    NestCore *core = g_new0(NestCore, 1);
    core->config = config;
    core->store = store;
    core->backend = backend;
    core->hands = hands;
    core->started = g_get_real_time() / 1000;
    core->place = make_place(config);
    core->recipes = load_recipes(config);
    core->inventory = nest_inventory_new();
    core->entries = g_array_new(FALSE, FALSE, sizeof(NestVmEntry));
    core->operations = nest_operations_new(config->operations);
    core->unrecorded =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)nest_job_free);
    core->waiting = g_queue_new();
    core->host_waiters = g_ptr_array_new();
    core->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    core->watches = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    nest_core_prove_init(core);
    nest_core_tree_init(core);
    core->jobs = g_thread_pool_new(run_task, NULL, config->operations, FALSE, NULL);
    core->readers = g_thread_pool_new(run_task, NULL, READERS, FALSE, NULL);
    core->prober = g_thread_pool_new(run_task, NULL, 1, FALSE, NULL);
    core->scribe = g_thread_pool_new(run_task, NULL, 1, FALSE, NULL);
    core->looker = g_thread_pool_new(run_task, NULL, 1, FALSE, NULL);
    core->visitors = g_thread_pool_new(run_task, NULL, NEST_VISITORS, FALSE, NULL);
    nest_store_set_notify(store, on_store_events, core);
    backend->ops->set_handler(backend, nest_core_on_backend, core);
    return core;
}

/* What is remembered of the past has a bound; revisions of definitions stay, and who made them. */
static void trim_work(gpointer data)
{
    NestCore *core = data;
    g_autoptr(GError) error = NULL;
    if (!nest_store_trim(core->store, KEEP_OPERATIONS, KEEP_EVENTS, &error))
        g_warning("old operations and events are not removed: %s", error->message);
}

static gboolean on_reconcile_timer(gpointer data)
{
    NestCore *core = data;
    nest_core_push(core, core->scribe, trim_work, core);
    if (core->state == NEST_CORE_OPEN)
        nest_core_reconcile(core);
    else
        nest_core_probe_host(core);
    return G_SOURCE_CONTINUE;
}

/* Registers are read more rarely than statistics. */
static guint monitor_seconds(const NestConfig *config)
{
    return config->monitor == NEST_SWITCH_YES ? MIN(4 * config->sample, MONITOR_SECONDS_MAX) : 0;
}

gboolean nest_core_start(NestCore *core, GError **error)
{
    core->marks = nest_marks_load(core->store, core->config->trust_default, error);
    if (core->marks == NULL || !load_inventory(core, error) ||
        !nest_core_recall_verdicts(core, error) || !nest_core_recall_traces(core, error))
        return FALSE;
    core->sampler = nest_sampler_new(core->backend, core->marks, monitor_seconds(core->config));
    nest_core_recall_activity(core);
    core->reconcile_timer = g_timeout_add_seconds(core->config->refresh, on_reconcile_timer, core);
    nest_core_open(core);
    return TRUE;
}

static gboolean on_stop_timer(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

gboolean nest_core_stop(NestCore *core, guint timeout_ms)
{
    gboolean late = FALSE;
    core->stopping = TRUE;
    g_cancellable_cancel(core->ending);
    g_clear_handle_id(&core->reconcile_timer, g_source_remove);
    g_clear_handle_id(&core->sample_timer, g_source_remove);
    g_clear_handle_id(&core->reopen_timer, g_source_remove);
    g_clear_handle_id(&core->clear_timer, g_source_remove);
    nest_core_refuse_waiting(core);
    nest_core_tree_refuse(core);
    guint timer = g_timeout_add(timeout_ms, on_stop_timer, &late);
    while (!late && (g_atomic_int_get(&core->busy) > 0 || g_main_context_pending(NULL)))
        g_main_context_iteration(NULL, g_atomic_int_get(&core->busy) > 0);
    if (!late)
        g_source_remove(timer);
    return !late;
}

void nest_core_free(NestCore *core)
{
    g_thread_pool_free(core->jobs, FALSE, TRUE);
    g_thread_pool_free(core->readers, FALSE, TRUE);
    g_thread_pool_free(core->prober, FALSE, TRUE);
    g_thread_pool_free(core->scribe, FALSE, TRUE);
    g_thread_pool_free(core->looker, FALSE, TRUE);
    g_thread_pool_free(core->visitors, FALSE, TRUE);
    nest_backend_free(core->backend);
    nest_host_hands_free(core->hands);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    nest_core_tree_clear(core);
    nest_inventory_free(core->inventory);
    nest_sampler_free(core->sampler);
    nest_marks_free(core->marks);
    nest_traces_free(core->traces);
    nest_host_place_free(core->place);
    nest_recipes_free(core->recipes);
    g_array_unref(core->entries);
    nest_operations_free(core->operations);
    g_hash_table_unref(core->unrecorded);
    g_queue_free(core->waiting);
    nest_host_snapshot_unref(core->host);
    g_free(core->host_verdicts);
    g_ptr_array_unref(core->host_waiters);
    nest_core_prove_clear(core);
    g_hash_table_unref(core->dirty);
    g_hash_table_unref(core->watches);
    nest_problem_free(core->problem);
    g_free(core);
}
