/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guest-clear.h"

/* What commands and transfers have left in guests, because nestd or the guest ended in the middle:
 * taken away as soon as the guest runs and its agent answers, one after the other. */

#define AGAIN_SECONDS 2
#define TRIES_MAX 150 /* of a guest that runs */

typedef struct {
    NestCore *core;
    GPtrArray *traces; /* NestTrace */
    GPtrArray *names; /* of their VMs; NULL where one is not there any more */
} Round;

static void round_free(Round *round)
{
    g_ptr_array_unref(round->traces);
    g_ptr_array_unref(round->names);
    g_free(round);
}

static void note(const Round *round, guint i, const char *kind, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* ---- on a visitor ---- */

static void note(const Round *round, guint i, const char *kind, const char *format, ...)
{
    const NestTrace *trace = g_ptr_array_index(round->traces, i);
    g_autoptr(GError) error = NULL;
    va_list rest;
    va_start(rest, format);
    g_autofree char *message = g_strdup_vprintf(format, rest);
    va_end(rest);
    if (!nest_core_note_visit(
            round->core, kind, trace->uuid, g_ptr_array_index(round->names, i), message, &error))
        g_warning("it is not stored that %s: %s", message, error->message);
}

/* One that does not run any more is not counted: it is tried when it does. */
static gboolean is_hopeless(NestCore *core, const NestTrace *trace, const GError *error)
{
    NestErrorCode code = nest_error_code(error);
    if (code == NEST_ERROR_VM_STATE || code == NEST_ERROR_ABORTED ||
        code == NEST_ERROR_BACKEND_UNAVAILABLE)
        return FALSE;
    return code == NEST_ERROR_VM_NOT_FOUND ||
        nest_traces_tried(core->traces, trace->path) >= TRIES_MAX;
}

/* Of VMs that are not there any more nothing is left. */
static void clear_one(const Round *round, guint i)
{
    NestCore *core = round->core;
    const NestTrace *trace = g_ptr_array_index(round->traces, i);
    const char *name = g_ptr_array_index(round->names, i);
    if (name == NULL) {
        nest_traces_end(core->traces, trace->path, TRUE);
        return;
    }
    const char *what = trace->command ? "a command and its folder" : "a part of a file";
    g_autoptr(GError) error = NULL;
    gboolean found = FALSE;
    if (nest_guest_clear(core->backend, trace, core->ending, &found, &error)) {
        if (found)
            note(round, i, "guest-cleared", "nestd took away what was left inside %s: %s, %s", name,
                what, trace->path);
        nest_traces_end(core->traces, trace->path, TRUE);
    } else if (is_hopeless(core, trace, error)) {
        note(round, i, "guest-left", "%s, %s, may be left inside %s: %s", what, trace->path, name,
            error->message);
        nest_traces_end(core->traces, trace->path, TRUE);
    }
}

static void ended(gpointer data)
{
    Round *round = data;
    NestCore *core = round->core;
    round_free(round);
    core->clearing = FALSE;
    nest_core_clear_guests(core);
}

static void work(gpointer data)
{
    Round *round = data;
    for (guint i = 0; i < round->traces->len; i++)
        clear_one(round, i);
    nest_core_post(ended, round);
}

/* ---- on the main thread ---- */

static void free_trace(gpointer trace)
{
    nest_trace_free(trace);
}

/* What can be done now. Of a VM that is off nothing: it is looked at again when it runs. */
static Round *make_round(NestCore *core)
{
    Round *round = g_new0(Round, 1);
    g_autoptr(GPtrArray) left = nest_traces_left(core->traces);
    round->core = core;
    round->traces = g_ptr_array_new_with_free_func(free_trace);
    round->names = g_ptr_array_new_with_free_func(g_free);
    while (left->len > 0) {
        g_autoptr(NestTrace) trace = g_ptr_array_steal_index_fast(left, 0);
        const NestVmCard *card = nest_inventory_find(core->inventory, trace->uuid);
        if (card != NULL && card->state != NEST_VM_RUNNING)
            continue;
        g_ptr_array_add(round->names, card != NULL ? g_strdup(card->name) : NULL);
        g_ptr_array_add(round->traces, g_steal_pointer(&trace));
    }
    return round;
}

/* Until all VMs are known, which are not there is not. */
static gboolean may_clear(const NestCore *core)
{
    return core->state == NEST_CORE_OPEN && core->listed && !core->clearing && !core->stopping;
}

static gboolean on_timer(gpointer data)
{
    NestCore *core = data;
    core->clear_timer = 0;
    if (!may_clear(core))
        return G_SOURCE_REMOVE;
    Round *round = make_round(core);
    if (round->traces->len == 0) {
        round_free(round);
        return G_SOURCE_REMOVE;
    }
    core->clearing = TRUE;
    nest_core_push(core, core->visitors, work, round);
    return G_SOURCE_REMOVE;
}

void nest_core_clear_guests(NestCore *core)
{
    if (!may_clear(core) || core->clear_timer != 0)
        return;
    Round *round = make_round(core);
    if (round->traces->len > 0)
        core->clear_timer = g_timeout_add_seconds(AGAIN_SECONDS, on_timer, core);
    round_free(round);
}

static void on_left_posted(gpointer data)
{
    nest_core_clear_guests(data);
}

static void on_left(gpointer core)
{
    nest_core_post(on_left_posted, core);
}

gboolean nest_core_recall_traces(NestCore *core, GError **error)
{
    core->traces = nest_traces_load(core->store, on_left, core, error);
    return core->traces != NULL;
}
