/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-inner.h"
#include "nest-tree-sum.h"
#include "nest-tree.h"
#include <string.h>

/* The tree of VMs and theirs. Guests are asked a few at a time; what they say, and that they say
 * nothing, is kept for a few seconds, or for longer where it took long to hear. Whoever waits is
 * answered with what is known when the time is up. */

#define ASKERS 8 /* half of the visitors: others are not kept waiting */
#define VISIT_SECONDS 8
#define WAIT_MS 10000
#define FRESH_US (5 * G_USEC_PER_SEC)
#define FORGET_US (60 * G_USEC_PER_SEC)

/* What a guest said. */
typedef struct {
    NestInnerVms *inner;
    char *unknown;
    gint64 time; /* for people */
    gint64 until; /* it is asked again after that, monotonic */
} Known;

typedef struct {
    NestCore *core;
    GTask *task;
    char *only; /* the uuid of the one that is shown, NULL: all are */
    NestHost *host;
    GHashTable *missing; /* uuids that are being asked */
    const char *closed; /* why no guest is asked, NULL: they are */
    guint timer;
} Waiter;

struct NestForest {
    GHashTable *known; /* uuid → Known */
    GHashTable *asked; /* uuids that wait or are being asked */
    GQueue *queue; /* uuids to be asked */
    guint askers;
    GPtrArray *waiters; /* borrowed */
};

static void known_free(gpointer data)
{
    Known *known = data;
    nest_inner_vms_free(known->inner);
    g_free(known->unknown);
    g_free(known);
}

void nest_core_tree_init(NestCore *core)
{
    core->forest = g_new0(NestForest, 1);
    core->forest->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
    core->forest->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    core->forest->queue = g_queue_new();
    core->forest->waiters = g_ptr_array_new();
}

void nest_core_tree_clear(NestCore *core)
{
    g_hash_table_unref(core->forest->known);
    g_hash_table_unref(core->forest->asked);
    g_queue_free_full(core->forest->queue, g_free);
    g_ptr_array_unref(core->forest->waiters);
    g_free(core->forest);
}

/* ---- on a reader: putting it together ---- */

typedef struct {
    GTask *task;
    NestHost *host;
    guint64 memory_kib;
    GPtrArray *branches;
} Making;

static void make_work(gpointer data)
{
    Making *making = data;
    g_autoptr(NestTree) tree = nest_tree_make(making->host, making->memory_kib, making->branches);
    g_task_return_pointer(making->task, nest_codec_to_text(&nest_tree_record, tree), g_free);
    g_object_unref(making->task);
    nest_host_free(making->host);
    g_ptr_array_unref(making->branches);
    g_free(making);
}

/* ---- on the main thread ---- */

static gboolean is_live(NestVmState state)
{
    return state == NEST_VM_RUNNING;
}

static NestInnerVms *copy_some(const NestInnerVms *inner)
{
    NestInnerVms *copy = nest_record_copy(&nest_inner_vms_record, inner);
    for (; copy->vms->len > NEST_TREE_INNER_MAX; copy->more++)
        nest_inner_vm_free(g_ptr_array_steal_index(copy->vms, copy->vms->len - 1));
    return copy;
}

static void add_inside(
    NestForest *forest, const char *uuid, const char *closed, NestTreeBranch *branch)
{
    const Known *known = g_hash_table_lookup(forest->known, uuid);
    if (closed != NULL) {
        branch->unknown = g_strdup(closed);
    } else if (known == NULL) {
        branch->unknown = g_strdup("the guest did not answer in time");
    } else {
        branch->inner = known->inner != NULL ? copy_some(known->inner) : NULL;
        branch->unknown = g_strdup(known->unknown);
        branch->time = known->time;
    }
}

static void waiter_free(Waiter *waiter)
{
    g_clear_handle_id(&waiter->timer, g_source_remove);
    g_free(waiter->only);
    nest_host_free(waiter->host);
    g_hash_table_unref(waiter->missing);
    g_free(waiter);
}

static void add_branch(const Waiter *waiter, const NestVmCard *card, GPtrArray *branches)
{
    NestTreeBranch *branch = g_new0(NestTreeBranch, 1);
    branch->summary = g_strdup(card->summary);
    branch->hidden = waiter->only != NULL && strcmp(waiter->only, card->uuid) != 0;
    if (is_live(card->state) && !branch->hidden)
        add_inside(waiter->core->forest, card->uuid, waiter->closed, branch);
    g_ptr_array_add(branches, branch);
}

static void finish(Waiter *waiter)
{
    NestCore *core = waiter->core;
    const GPtrArray *cards = nest_inventory_all(core->inventory);
    Making *making = g_new0(Making, 1);
    making->task = waiter->task;
    making->host = g_steal_pointer(&waiter->host);
    making->memory_kib = core->host->facts->tuning.memory_kib;
    making->branches = g_ptr_array_new_with_free_func((GDestroyNotify)nest_tree_branch_free);
    for (guint i = 0; i < cards->len; i++)
        add_branch(waiter, g_ptr_array_index(cards, i), making->branches);
    waiter_free(waiter);
    nest_core_push(core, core->readers, make_work, making);
}

/* Nobody waits for those who were not asked yet. */
static void give_up(NestForest *forest)
{
    char *uuid;
    if (forest->waiters->len > 0)
        return;
    while ((uuid = g_queue_pop_head(forest->queue)) != NULL) {
        g_hash_table_remove(forest->asked, uuid);
        g_free(uuid);
    }
}

static gboolean on_timer(gpointer data)
{
    Waiter *waiter = data;
    NestForest *forest = waiter->core->forest;
    waiter->timer = 0;
    g_ptr_array_remove(forest->waiters, waiter);
    give_up(forest);
    finish(waiter);
    return G_SOURCE_REMOVE;
}

typedef struct {
    NestCore *core;
    char *uuid;
    NestInnerVms *inner;
    char *unknown;
    gint64 begun;
} Visit;

static void ask_next(NestCore *core);

static void answered(gpointer data)
{
    Visit *visit = data;
    NestForest *forest = visit->core->forest;
    gint64 now = g_get_monotonic_time();
    Known *known = g_new0(Known, 1);
    *known = (Known){visit->inner, visit->unknown, g_get_real_time() / 1000,
        now + MAX(FRESH_US, 3 * (now - visit->begun))};
    g_hash_table_remove(forest->asked, visit->uuid);
    g_hash_table_replace(forest->known, g_strdup(visit->uuid), known);
    for (guint i = forest->waiters->len; i > 0; i--) {
        Waiter *waiter = g_ptr_array_index(forest->waiters, i - 1);
        g_hash_table_remove(waiter->missing, visit->uuid);
        if (g_hash_table_size(waiter->missing) > 0)
            continue;
        g_ptr_array_remove_index(forest->waiters, i - 1);
        finish(waiter);
    }
    forest->askers--;
    ask_next(visit->core);
    g_free(visit->uuid);
    g_free(visit);
}

/* Which VM it is, is said by the tree. */
static char *why_not(const GError *error)
{
    const char *cause = g_str_has_prefix(error->message, "Cannot ask the guest agent")
        ? strstr(error->message, ": ")
        : NULL;
    return g_strdup(cause != NULL ? cause + 2 : error->message);
}

static void ask_work(gpointer data)
{
    Visit *visit = data;
    g_autoptr(GError) error = NULL;
    visit->begun = g_get_monotonic_time();
    g_autoptr(NestInner) inner = nest_inner_visit(
        visit->core->backend, visit->uuid, VISIT_SECONDS, visit->core->ending, &error);
    if (inner != NULL)
        visit->inner = nest_inner_show(inner, NEST_INNER_MAX, 0, 0);
    else
        visit->unknown = why_not(error);
    nest_core_post(answered, visit);
}

static void ask_next(NestCore *core)
{
    NestForest *forest = core->forest;
    while (forest->askers < ASKERS && !g_queue_is_empty(forest->queue) && !core->stopping) {
        Visit *visit = g_new0(Visit, 1);
        visit->core = core;
        visit->uuid = g_queue_pop_head(forest->queue);
        forest->askers++;
        nest_core_push(core, core->visitors, ask_work, visit);
    }
}

static gboolean is_old(gpointer key, gpointer value, gpointer user_data)
{
    return ((const Known *)value)->until + FORGET_US < *(const gint64 *)user_data;
}

/* Takes waiter over. */
static void refuse(Waiter *waiter)
{
    GError *error = NULL;
    nest_set_error(&error, NEST_ERROR_BACKEND_UNAVAILABLE, "try again", "nestd is stopping");
    g_task_return_error(waiter->task, error);
    g_object_unref(waiter->task);
    waiter_free(waiter);
}

void nest_core_tree_refuse(NestCore *core)
{
    GPtrArray *waiters = core->forest->waiters;
    while (waiters->len > 0)
        refuse(g_ptr_array_steal_index(waiters, waiters->len - 1));
}

static void want(Waiter *waiter, const NestVmCard *card, gint64 now)
{
    NestForest *forest = waiter->core->forest;
    const Known *known = g_hash_table_lookup(forest->known, card->uuid);
    if (waiter->closed != NULL || !is_live(card->state) || (known != NULL && known->until > now))
        return;
    g_hash_table_add(waiter->missing, g_strdup(card->uuid));
    if (g_hash_table_add(forest->asked, g_strdup(card->uuid)))
        g_queue_push_tail(forest->queue, g_strdup(card->uuid));
}

static void want_all(Waiter *waiter)
{
    const GPtrArray *cards = nest_inventory_all(waiter->core->inventory);
    gint64 now = g_get_monotonic_time();
    g_hash_table_foreach_remove(waiter->core->forest->known, is_old, &now);
    for (guint i = 0; i < cards->len; i++) {
        const NestVmCard *card = g_ptr_array_index(cards, i);
        if (waiter->only == NULL || strcmp(waiter->only, card->uuid) == 0)
            want(waiter, card, now);
    }
}

/* The host was read: at the start of nestd that takes a moment. */
static void on_host(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Waiter *waiter = user_data;
    waiter->host = nest_core_host_finish(waiter->core, result, NULL);
    if (waiter->core->stopping) {
        refuse(waiter);
        return;
    }
    want_all(waiter);
    if (g_hash_table_size(waiter->missing) == 0) {
        finish(waiter);
        return;
    }
    waiter->timer = g_timeout_add(WAIT_MS, on_timer, waiter);
    g_ptr_array_add(waiter->core->forest->waiters, waiter);
    ask_next(waiter->core);
}

void nest_core_tree_async(NestCore *core, const char *vm, gboolean inside,
    GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *only = NULL;
    if (!nest_core_check_open(core, &error) ||
        (vm != NULL && !nest_core_resolve(core, vm, &only, &error))) {
        g_task_return_error(task, error);
        g_object_unref(task);
        return;
    }
    Waiter *waiter = g_new0(Waiter, 1);
    *waiter = (Waiter){.core = core, .task = task, .only = only};
    if (!inside)
        waiter->closed = "only who has the right \"manage\" may have the guest asked";
    else if (core->state != NEST_CORE_OPEN)
        waiter->closed = "the hypervisor is being opened";
    waiter->missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    nest_core_host_async(core, on_host, waiter);
}

char *nest_core_tree_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
