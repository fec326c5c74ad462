/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"

/* Looking at what running VMs do with their extension: now and then while any runs, on a thread of
 * its own, since a QEMU that hangs may hold it up for a few seconds. A VM that is found changed is
 * read again, so that all that is said of it fits together. */

/* A look is followed by a rest of so many times as long as it took, µs at most: with many VMs, or
 * on a host that is short of time, looking must not become the load. */
#define REST_TIMES 20
#define REST_MAX_US (30 * G_USEC_PER_SEC)

typedef struct {
    NestCore *core;
    gint64 began; /* µs */
    gboolean last; /* nothing ran when it began: it finds what ran before stopped */
    GPtrArray *changes; /* NestActivityChange */
    GError *error;
} Round;

static const struct {
    const char *kind;
    const char *message; /* %s: the VM's name */
} tellings[] = {
    {"nested-l2-started", "inner virtual machines run in %s"},
    {"nested-l2-stopped", "no inner virtual machines run in %s any more"},
    {"nested-armed", "a hypervisor is ready in %s"},
};

static NestEvent *event_of(const NestActivityChange *change, const char *name)
{
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(change->event);
    event->uuid = g_strdup(change->uuid);
    event->name = g_strdup(name);
    for (guint i = 0; i < G_N_ELEMENTS(tellings); i++) {
        g_auto(GStrv) parts = g_strsplit(tellings[i].message, "%s", 2);
        if (g_strcmp0(tellings[i].kind, change->event) == 0)
            event->message = g_strjoinv(name, parts);
    }
    return event;
}

void nest_core_note_activity(NestCore *core, const GPtrArray *changes)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    for (guint i = 0; i < changes->len; i++) {
        const NestActivityChange *change = g_ptr_array_index(changes, i);
        const NestVmCard *card = nest_inventory_find(core->inventory, change->uuid);
        if (card == NULL)
            continue;
        if (change->event != NULL)
            g_ptr_array_add(events, event_of(change, card->name));
        if (change->to != NEST_ACTIVITY_NONE)
            nest_core_mark_dirty(core, change->uuid);
    }
    if (events->len > 0)
        nest_core_record(core, g_steal_pointer(&events));
}

static gboolean is_running(const NestVmCard *card)
{
    return card->state != NEST_VM_OFF && card->state != NEST_VM_SAVED;
}

void nest_core_recall_activity(NestCore *core)
{
    const GPtrArray *cards = nest_inventory_all(core->inventory);
    for (guint i = 0; i < cards->len; i++) {
        const NestVmCard *card = g_ptr_array_index(cards, i);
        if (is_running(card))
            nest_sampler_recall(core->sampler, card->uuid, nest_vm_card_activity(card));
    }
}

static gboolean any_runs(NestCore *core)
{
    const GPtrArray *cards = nest_inventory_all(core->inventory);
    for (guint i = 0; i < cards->len; i++)
        if (is_running(g_ptr_array_index(cards, i)))
            return TRUE;
    return FALSE;
}

static void done(gpointer data)
{
    g_autofree Round *round = data;
    NestCore *core = round->core;
    gint64 now = g_get_monotonic_time();
    core->sampling = FALSE;
    core->rest_until =
        round->error == NULL ? now + MIN((now - round->began) * REST_TIMES, REST_MAX_US) : 0;
    nest_core_note_activity(core, round->changes);
    if (round->error != NULL && core->state == NEST_CORE_OPEN && !core->sample_failed)
        g_warning("what running virtual machines do can't be told: %s", round->error->message);
    core->sample_failed = round->error != NULL;
    if (round->last && round->error == NULL && !any_runs(core))
        g_clear_handle_id(&core->sample_timer, g_source_remove);
    g_ptr_array_unref(round->changes);
    g_clear_error(&round->error);
}

static void work(gpointer data)
{
    Round *round = data;
    nest_sampler_round(round->core->sampler, &round->changes, &round->error);
    nest_core_post(done, round);
}

static void look(NestCore *core)
{
    if (core->sampling || core->stopping || core->state != NEST_CORE_OPEN ||
        g_get_monotonic_time() < core->rest_until)
        return;
    Round *round = g_new0(Round, 1);
    round->core = core;
    round->began = g_get_monotonic_time();
    round->last = !any_runs(core);
    core->sampling = TRUE;
    nest_core_push(core, core->looker, work, round);
}

static gboolean on_timer(gpointer data)
{
    look(data);
    return G_SOURCE_CONTINUE;
}

void nest_core_watch_activity(NestCore *core)
{
    if (core->sample_timer != 0 || core->stopping || !any_runs(core))
        return;
    core->sample_timer = g_timeout_add_seconds(core->config->sample, on_timer, core);
    look(core);
}
