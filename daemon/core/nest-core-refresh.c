/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-vm-files.h"
#include <malloc.h>

#define MANY 100

/* Keeping the inventory true: VMs that the backend says have changed are read again, and now and
 * then, and after every opening, all of them. One refresh at a time; an order number taken before
 * each reading decides which of two readings is the later one. */

typedef struct {
    NestCore *core;
    NestHostSnapshot *host;
    GPtrArray *uuids; /* to read; NULL: all */
    GHashTable *keys; /* uuid → key of the card that is there; for all */
    guint64 order;
    GPtrArray *cards; /* found changed */
    GPtrArray *gone; /* uuids of uuids that are gone */
    GHashTable *seen; /* for all */
    NestHostSnapshot *new_host;
    GError *error;
} Refresh;

guint64 nest_core_next_order(NestCore *core)
{
    return __atomic_add_fetch(&core->order, 1, __ATOMIC_SEQ_CST);
}

static void unref_table(GHashTable *table)
{
    if (table != NULL)
        g_hash_table_unref(table);
}

static void refresh_free(Refresh *refresh)
{
    nest_host_snapshot_unref(refresh->host);
    nest_host_snapshot_unref(refresh->new_host);
    g_clear_pointer(&refresh->uuids, g_ptr_array_unref);
    g_clear_pointer(&refresh->cards, g_ptr_array_unref);
    g_clear_pointer(&refresh->gone, g_ptr_array_unref);
    unref_table(refresh->keys);
    unref_table(refresh->seen);
    g_clear_error(&refresh->error);
    g_free(refresh);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Refresh, refresh_free)

/* Takes facts over. */
static void add_card(Refresh *refresh, NestVmFacts *facts, NestHostSnapshot *host, guint64 order)
{
    g_autofree char *uuid = g_strdup(facts->uuid);
    g_autoptr(GError) error = NULL;
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_new(facts, host, refresh->core->marks, &error);
    if (reading == NULL) {
        g_warning("the definition of %s can't be read: %s", uuid, error->message);
        return;
    }
    nest_sampler_tell(refresh->core->sampler, &reading->view);
    NestVmCard *card = nest_vm_card_make(reading, refresh->core->config->parity);
    card->order = order;
    if (refresh->keys != NULL && !g_hash_table_contains(refresh->keys, uuid))
        nest_vm_card_compare(card, refresh->core->store);
    g_ptr_array_add(refresh->cards, card);
}

static void read_some(Refresh *refresh)
{
    NestBackend *backend = refresh->core->backend;
    g_autoptr(NestHostSnapshot) host = nest_host_snapshot_renew(refresh->host);
    for (guint i = 0; i < refresh->uuids->len; i++) {
        const char *uuid = g_ptr_array_index(refresh->uuids, i);
        NestVmFacts *facts = NULL;
        g_autoptr(GError) error = NULL;
        guint64 order = nest_core_next_order(refresh->core);
        if (backend->ops->read(backend, uuid, &facts, &error))
            add_card(refresh, facts, host, order);
        else if (nest_error_code(error) == NEST_ERROR_VM_NOT_FOUND)
            g_ptr_array_add(refresh->gone, g_strdup(uuid));
        else if (refresh->error == NULL)
            refresh->error = g_steal_pointer(&error);
    }
}

static void read_all(Refresh *refresh)
{
    NestBackend *backend = refresh->core->backend;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(NestBackendCaps) caps = NULL;
    refresh->order = nest_core_next_order(refresh->core);
    if (!backend->ops->caps(backend, &caps, &refresh->error) ||
        !backend->ops->list(backend, &all, &refresh->error))
        return;
    g_autoptr(NestNetDefinitions) definitions = nest_net_definitions_take(backend);
    refresh->new_host = nest_host_snapshot_take_with(refresh->core->place, caps, definitions);
    refresh->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        NestVmFacts *facts = g_ptr_array_index(all, i);
        g_autoptr(NestVmMarks) marks = nest_marks_get(refresh->core->marks, facts->uuid);
        g_autofree char *key = nest_vm_facts_key(facts, refresh->new_host, marks);
        g_hash_table_add(refresh->seen, g_strdup(facts->uuid));
        if (g_strcmp0(key, g_hash_table_lookup(refresh->keys, facts->uuid)) == 0)
            nest_vm_facts_free(facts);
        else
            add_card(refresh, facts, refresh->new_host, refresh->order);
    }
    nest_vm_files_trim_consoles(refresh->core->config);
}

static void refreshed(gpointer data);

static void refresh_work(gpointer data)
{
    Refresh *refresh = data;
    if (refresh->uuids != NULL)
        read_some(refresh);
    else
        read_all(refresh);
    nest_core_post(refreshed, refresh);
}

static void keep_key(gpointer data, gpointer user_data)
{
    NestVmCard *card = data;
    if (card->key != NULL)
        g_hash_table_insert(user_data, g_strdup(card->uuid), g_strdup(card->key));
}

static GPtrArray *take_dirty(NestCore *core)
{
    GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer uuid;
    g_hash_table_iter_init(&iter, core->dirty);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        g_hash_table_iter_steal(&iter);
        g_ptr_array_add(uuids, uuid);
    }
    return uuids;
}

static void start_refresh(NestCore *core)
{
    gboolean all = core->refresh_all;
    if (core->refreshing || core->stopping || core->state != NEST_CORE_OPEN ||
        (!all && g_hash_table_size(core->dirty) == 0))
        return;
    Refresh *refresh = g_new0(Refresh, 1);
    refresh->core = core;
    refresh->host = nest_host_snapshot_ref(core->host);
    refresh->cards = g_ptr_array_new();
    refresh->gone = g_ptr_array_new_with_free_func(g_free);
    if (all) {
        refresh->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_ptr_array_foreach(
            (GPtrArray *)nest_inventory_all(core->inventory), keep_key, refresh->keys);
        core->refresh_all = FALSE;
    } else {
        refresh->uuids = take_dirty(core);
    }
    core->refreshing = TRUE;
    nest_core_push(core, core->readers, refresh_work, refresh);
}

void nest_core_mark_dirty(NestCore *core, const char *uuid)
{
    g_hash_table_add(core->dirty, g_strdup(uuid));
    start_refresh(core);
}

void nest_core_reconcile(NestCore *core)
{
    core->refresh_all = TRUE;
    start_refresh(core);
}

/* ---- letting in ---- */

typedef struct {
    NestCore *core;
    GPtrArray *rows; /* NestStoredVm */
    GPtrArray *gone; /* uuids, NULL-terminated */
    GPtrArray *events;
    GPtrArray *started; /* uuids; NULL: none */
    guint told; /* checks that changed */
    gboolean tidy;
} Scribble;

static void store_started(const Scribble *scribble)
{
    for (guint i = 0; scribble->started != NULL && i < scribble->started->len; i++) {
        g_autoptr(GError) error = NULL;
        if (!nest_store_mark_started(
                scribble->core->store, g_ptr_array_index(scribble->started, i), &error))
            g_warning("that a virtual machine was started is not stored: %s", error->message);
    }
    if (scribble->started != NULL)
        g_ptr_array_unref(scribble->started);
}

static void scribble_work(gpointer data)
{
    g_autofree Scribble *scribble = data;
    g_autoptr(GError) error = NULL;
    g_ptr_array_add(scribble->gone, NULL);
    if (!nest_store_sync_vms(scribble->core->store, scribble->rows,
            (const char *const *)scribble->gone->pdata, scribble->events, &error))
        g_warning("what changed of the virtual machines is not stored: %s", error->message);
    nest_core_forget_proofs(scribble->core->store, (const char *const *)scribble->gone->pdata);
    store_started(scribble);
    g_ptr_array_unref(scribble->rows);
    g_ptr_array_unref(scribble->gone);
    g_ptr_array_unref(scribble->events);
    /* Reading many definitions leaves the heaps of the workers large and empty. */
    if (scribble->tidy)
        malloc_trim(0);
}

void nest_core_record(NestCore *core, GPtrArray *events)
{
    Scribble *scribble = g_new0(Scribble, 1);
    scribble->core = core;
    scribble->rows = g_ptr_array_new();
    scribble->gone = g_ptr_array_new();
    scribble->events = events;
    nest_core_push(core, core->scribe, scribble_work, scribble);
}

static void admit_card(NestCore *core, NestVmCard *card, Scribble *scribble)
{
    NestEvent *event = NULL;
    const NestOperation *operation = nest_operations_of_vm(core->operations, card->uuid);
    if (operation != NULL && !nest_operation_ended(operation)) {
        nest_vm_card_set_operation(card, operation->id);
        g_clear_pointer(&card->drift, g_free); /* told, if it is any, when that has ended */
    }
    const NestVmCard *old = nest_inventory_find(core->inventory, card->uuid);
    gboolean same = old != NULL && (card->stored || g_strcmp0(old->text, card->text) == 0);
    g_autoptr(NestEvent) drift = nest_vm_card_drift_event(old, card);
    const char *known = old != NULL && old->verdicts != NULL ? old->verdicts : card->was;
    g_autofree char *before = g_strdup(known);
    nest_core_carry_start(core, old, card);
    if (!nest_inventory_put(core->inventory, card, &event))
        return;
    if (event != NULL)
        g_ptr_array_add(scribble->events, event);
    if (drift != NULL)
        g_ptr_array_add(scribble->events, g_steal_pointer(&drift));
    /* What an operation starts, it marks itself. */
    if (card->state == NEST_VM_RUNNING && operation == NULL &&
        nest_marks_started(core->marks, card->uuid))
        g_ptr_array_add(scribble->started, g_strdup(card->uuid));
    nest_core_note_given(core, card, scribble->events);
    nest_core_note_verdicts(card, before, &scribble->told, scribble->events);
    if (!same)
        g_ptr_array_add(scribble->rows, nest_vm_card_to_store(card));
}

static void dismiss(NestCore *core, const char *uuid, Scribble *scribble)
{
    NestVmCard *card = nest_inventory_find(core->inventory, uuid);
    if (card == NULL)
        return;
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup("vm-removed");
    event->uuid = g_strdup(uuid);
    event->name = g_strdup(card->name);
    event->message = g_strdup_printf("%s is not there any more", card->name);
    g_ptr_array_add(scribble->events, event);
    g_ptr_array_add(scribble->gone, g_strdup(uuid));
    nest_marks_forget_run(core->marks, uuid);
    nest_inventory_remove(core->inventory, uuid);
}

void nest_core_admit(NestCore *core, GPtrArray *cards, const GPtrArray *gone)
{
    Scribble *scribble = g_new0(Scribble, 1);
    scribble->core = core;
    scribble->tidy = cards != NULL && cards->len >= MANY;
    scribble->rows = g_ptr_array_new_with_free_func((GDestroyNotify)nest_stored_vm_free);
    scribble->gone = g_ptr_array_new_with_free_func(g_free);
    scribble->events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    scribble->started = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; cards != NULL && i < cards->len; i++)
        admit_card(core, g_ptr_array_index(cards, i), scribble);
    nest_core_sum_verdicts_up(scribble->told, scribble->events);
    for (guint i = 0; gone != NULL && i < gone->len; i++)
        dismiss(core, g_ptr_array_index(gone, i), scribble);
    nest_core_push(core, core->scribe, scribble_work, scribble);
    nest_core_watch_activity(core);
    nest_core_clear_guests(core);
}

/* Cards that a complete listing does not have, and that are not younger than it. */
static void find_gone(NestCore *core, Refresh *refresh)
{
    const GPtrArray *cards = nest_inventory_all(core->inventory);
    for (guint i = 0; i < cards->len; i++) {
        const NestVmCard *card = g_ptr_array_index(cards, i);
        if (card->order < refresh->order && !g_hash_table_contains(refresh->seen, card->uuid))
            g_ptr_array_add(refresh->gone, g_strdup(card->uuid));
    }
}

static void set_listed(NestCore *core)
{
    if (!core->listed)
        g_message("the hypervisor is open: %s", core->host->caps->uri);
    core->listed = TRUE;
    nest_core_clear_guests(core);
}

static void refreshed(gpointer data)
{
    g_autoptr(Refresh) refresh = data;
    NestCore *core = refresh->core;
    core->refreshing = FALSE;
    if (refresh->seen != NULL)
        find_gone(core, refresh);
    if (refresh->new_host != NULL)
        nest_core_set_host(core, nest_host_snapshot_ref(refresh->new_host));
    nest_core_admit(core, refresh->cards, refresh->gone);
    if (refresh->uuids == NULL && refresh->error == NULL)
        set_listed(core);
    if (refresh->error != NULL &&
        (!core->listed || nest_error_code(refresh->error) == NEST_ERROR_BACKEND_UNAVAILABLE))
        nest_core_lost(core, refresh->error);
    else if (refresh->error != NULL)
        g_warning("virtual machines can't be read: %s", refresh->error->message);
    start_refresh(core);
}
