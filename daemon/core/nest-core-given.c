/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-given.h"
#include <unistd.h>

/* What is done about the CPU that a VM got when it started. nestd has seen it start where it knew
 * it in another run, or as off, before: not where it finds it running. */

/* So long after its start what runs in a VM can't have come far. */
#define FRESH_US (15 * G_USEC_PER_SEC)

/* FALSE for what the store had. */
static gboolean was_read(const NestVmCard *card)
{
    return card != NULL && card->key != NULL;
}

void nest_core_carry_start(NestCore *core, const NestVmCard *old, NestVmCard *card)
{
    if (card->given == NULL || old == NULL)
        return;
    if (!was_read(old)) {
        card->told =
            nest_vm_card_lacks(old, "vm.cpu.effective") ? card->given->flaw : NEST_FLAW_NONE;
        return;
    }
    card->told = old->run == card->run ? old->told : NEST_VM_CARD_UNTOLD;
    card->seen_start = old->run == card->run ? old->seen_start : 0;
    card->stopping = old->run == card->run && old->stopping;
    if (old->run == card->run || !card->booted)
        return;
    card->seen_start = g_get_monotonic_time();
    if (g_strcmp0(old->revision, card->revision) != 0)
        return;
    nest_marks_set_started(core->marks, card->uuid, card->run, card->revision);
    if (card->given->flaw != card->flaw_at_start) /* told of the next reading, which knows */
        nest_core_mark_dirty(core, card->uuid);
}

static const struct {
    const char *kind, *message; /* with name, extension and what tells */
} tellings[] = {
    [NEST_FLAW_NONE] = {"extension-proved", "%s has %s: %s"},
    [NEST_FLAW_MISSING] = {"extension-missing", "%s runs without %s, which it asks for: %s"},
    [NEST_FLAW_UNWANTED] = {"extension-unwanted", "%s runs with %s, which it is to hide: %s"},
};

static NestEvent *event_of(const NestVmCard *card)
{
    NestFlaw flaw = card->given->flaw;
    const char *extension = nest_nick(nest_extension_nicks, card->given->extension);
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(tellings[flaw].kind);
    event->uuid = g_strdup(card->uuid);
    event->name = g_strdup(card->name);
    g_auto(GStrv) parts = g_strsplit(tellings[flaw].message, "%s", 4);
    event->message = g_strconcat(parts[0], card->name, parts[1], extension, parts[2],
        nest_given_words(card->given), parts[3], NULL);
    return event;
}

static void stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree char *name = data;
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestPlan) plan = NULL;
    g_autoptr(GError) error = NULL;
    if (!nest_core_submit_finish(NULL, result, &operation, &plan, &error))
        g_warning(
            "%s started without its extension and is not powered off: %s", name, error->message);
}

typedef struct {
    NestCore *core;
    NestRequest *request;
    char *name;
} Stop;

static void submit(gpointer data)
{
    g_autofree Stop *stop = data;
    NestCaller caller = {.uid = getuid(), .pid = getpid(), .right = NEST_RIGHT_ADMIN};
    nest_core_submit_async(stop->core, &caller, stop->request, stopped, stop->name);
}

static void all_is_told(gpointer data)
{
    nest_core_post(submit, data);
}

static void wait_for_scribe(gpointer data)
{
    Stop *stop = data;
    if (stop->core->stopping)
        submit(stop); /* which is refused */
    else
        nest_core_push(stop->core, stop->core->scribe, all_is_told, stop);
}

/* Not before what is to be told of the start is stored, which is handed to the scribe once all
 * cards are admitted: whatever happens then, nobody finds the VM off and does not know why. */
static void stop_later(NestCore *core, const NestVmCard *card)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_UNFIT;
    request->vm = g_strdup(card->uuid);
    request->run = card->run;
    request->until = card->seen_start + FRESH_US;
    Stop *stop = g_new0(Stop, 1);
    *stop = (Stop){core, request, g_strdup(card->name)};
    nest_core_post(wait_for_scribe, stop);
}

/* With a start that nestd did itself, its own job has dealt. */
static gboolean is_to_stop(NestCore *core, const NestVmCard *card)
{
    return core->config->unfit == NEST_UNFIT_STOP && card->given->flaw == NEST_FLAW_MISSING &&
        card->seen_start != 0 && !card->stopping &&
        g_get_monotonic_time() < card->seen_start + FRESH_US &&
        nest_operations_of_vm(core->operations, card->uuid) == NULL;
}

/* That all is well is told of starts. */
static gboolean is_to_tell(const NestVmCard *card)
{
    const NestGiven *given = card->given;
    if (given->flaw != NEST_FLAW_NONE)
        return card->told != (int)given->flaw;
    return given->presence == NEST_PRESENCE_PRESENT && card->asks && card->told != NEST_FLAW_NONE &&
        (card->seen_start != 0 || card->told > NEST_FLAW_NONE);
}

void nest_core_note_given(NestCore *core, NestVmCard *card, GPtrArray *events)
{
    if (card->given == NULL)
        return;
    if (is_to_tell(card)) {
        card->told = (int)card->given->flaw;
        g_ptr_array_add(events, event_of(card));
    }
    if (!is_to_stop(core, card))
        return;
    card->stopping = TRUE;
    stop_later(core, card);
}
