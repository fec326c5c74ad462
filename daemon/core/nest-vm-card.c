/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-card.h"
#include "nest-actions.h"
#include "nest-codec.h"
#include "nest-given.h"
#include "nest-verdicts.h"
#include "nest-vm-drift.h"
#include <string.h>

/* Takes the checks that passed, and the actions, out of vm. */
static void keep_findings(NestVm *vm)
{
    for (guint i = vm->actions->len; i > 0; i--)
        nest_action_free(g_ptr_array_remove_index(vm->actions, i - 1));
    for (guint i = vm->checks->len; i > 0; i--) {
        NestCheck *check = g_ptr_array_index(vm->checks, i - 1);
        if (check->verdict < NEST_VERDICT_UNKNOWN)
            nest_check_free(g_ptr_array_remove_index(vm->checks, i - 1));
    }
}

/* Encodes vm, and leaves only its findings in it. */
static void set_texts(NestVmCard *card, NestVm *vm)
{
    g_autoptr(NestVmSummary) summary = nest_vm_summarize(vm);
    card->stored = FALSE;
    g_free(card->text);
    g_free(card->summary);
    g_free(card->brief);
    card->text = nest_codec_to_text(&nest_vm_record, vm);
    card->summary = nest_codec_to_text(&nest_vm_summary_record, summary);
    keep_findings(vm);
    card->brief = nest_codec_to_text(&nest_vm_record, vm);
}

static NestVm *decode(const NestVmCard *card)
{
    NestVm *vm = nest_codec_from_text(&nest_vm_record, card->text, -1, NEST_CODEC_LENIENT, NULL);
    return vm != NULL ? vm : nest_vm_new();
}

static void note_run(const NestVmReading *reading, NestVmCard *card)
{
    g_autoptr(NestGiven) at_start = nest_given_judge_start(&reading->view);
    card->run = reading->facts->run;
    card->booted = reading->facts->booted;
    card->told = NEST_VM_CARD_UNTOLD;
    card->given = nest_given_judge(&reading->view);
    if (at_start == NULL)
        return;
    card->flaw_at_start = at_start->flaw;
    card->asks = nest_vm_domain_asks(reading->domain, at_start->extension);
}

NestVmCard *nest_vm_card_make(const NestVmReading *reading, NestParity parity)
{
    g_autoptr(NestVm) vm = nest_checks_vm(&reading->view);
    nest_actions_add(&reading->view, parity, vm);
    NestVmCard *card = g_new0(NestVmCard, 1);
    card->uuid = g_strdup(vm->uuid);
    card->name = g_strdup(vm->name);
    card->revision = g_strdup(vm->revision);
    card->state = vm->state;
    card->saved_time = reading->facts->saved_time;
    card->drift = nest_vm_drift(&reading->view);
    card->verdicts = nest_verdicts_letters(vm->checks);
    card->key = nest_vm_facts_key(reading->facts, reading->host, reading->marks);
    note_run(reading, card);
    set_texts(card, vm);
    return card;
}

NestVmCard *nest_vm_card_from_store(NestStoredVm *stored)
{
    NestVmCard *card = g_new0(NestVmCard, 1);
    guint state = NEST_VM_UNKNOWN;
    card->run = -1;
    card->told = NEST_VM_CARD_UNTOLD;
    card->uuid = g_steal_pointer(&stored->uuid);
    card->name = g_steal_pointer(&stored->name);
    card->text = g_steal_pointer(&stored->text);
    card->summary = g_steal_pointer(&stored->summary);
    card->revision = stored->revision != NULL ? g_steal_pointer(&stored->revision) : g_strdup("");
    if (stored->state != NULL && nest_nick_parse(nest_vm_state_nicks, stored->state, &state))
        card->state = state;
    return card;
}

NestStoredVm *nest_vm_card_to_store(const NestVmCard *card)
{
    NestStoredVm *stored = g_new0(NestStoredVm, 1);
    stored->uuid = g_strdup(card->uuid);
    stored->name = g_strdup(card->name);
    stored->text = g_strdup(card->text);
    stored->summary = g_strdup(card->summary);
    stored->state = g_strdup(nest_nick(nest_vm_state_nicks, card->state));
    stored->revision = g_strdup(card->revision);
    return stored;
}

void nest_vm_card_free(NestVmCard *card)
{
    if (card == NULL)
        return;
    g_free(card->uuid);
    g_free(card->name);
    g_free(card->text);
    g_free(card->summary);
    g_free(card->brief);
    g_free(card->revision);
    g_free(card->key);
    g_free(card->drift);
    g_free(card->verdicts);
    g_free(card->was);
    nest_given_free(card->given);
    g_free(card);
}

gboolean nest_vm_card_complete(NestVmCard *card, NestStore *store, GError **error)
{
    if (card->text != NULL)
        return TRUE;
    if (!nest_store_vm_text(store, card->uuid, &card->text, error))
        return FALSE;
    if (card->text == NULL)
        card->text = g_strdup(card->summary); /* of the same form, as far as it goes */
    return TRUE;
}

void nest_vm_card_compare(NestVmCard *card, NestStore *store)
{
    g_autofree char *text = NULL;
    if (!nest_store_vm_text(store, card->uuid, &text, NULL) || text == NULL)
        return;
    card->stored = strcmp(text, card->text) == 0;
    if (card->stored)
        return;
    g_autoptr(NestVm) old =
        nest_codec_from_text(&nest_vm_record, text, -1, NEST_CODEC_LENIENT, NULL);
    g_autoptr(NestVm) now = decode(card);
    if (old != NULL)
        card->was = nest_verdicts_align(old->checks, now->checks);
}

static NestVmSummary *summary_of(const NestVmCard *card)
{
    return nest_codec_from_text(
        &nest_vm_summary_record, card->summary, -1, NEST_CODEC_LENIENT, NULL);
}

NestActivity nest_vm_card_activity(const NestVmCard *card)
{
    g_autoptr(NestVmSummary) summary = summary_of(card);
    return summary != NULL ? summary->activity : NEST_ACTIVITY_NONE;
}

NestNesting nest_vm_card_nesting(const NestVmCard *card)
{
    g_autoptr(NestVmSummary) summary = summary_of(card);
    return summary != NULL ? summary->nesting : NEST_NESTING_OFF;
}

gboolean nest_vm_card_lacks(const NestVmCard *card, const char *check)
{
    g_autoptr(NestVmSummary) summary = summary_of(card);
    return summary != NULL && summary->errors != NULL &&
        g_strv_contains((const char *const *)summary->errors, check);
}

void nest_vm_card_set_operation(NestVmCard *card, gint64 operation)
{
    g_autoptr(NestVm) vm = decode(card);
    if (vm->operation == operation)
        return;
    vm->operation = operation;
    set_texts(card, vm);
}

static const char *const state_events[] = {
    [NEST_VM_UNKNOWN] = "vm-changed",
    [NEST_VM_OFF] = "vm-stopped",
    [NEST_VM_SAVED] = "vm-saved",
    [NEST_VM_RUNNING] = "vm-started",
    [NEST_VM_PAUSED] = "vm-paused",
    [NEST_VM_SHUTTING_DOWN] = "vm-changed",
    [NEST_VM_CRASHED] = "vm-crashed",
};

NestEvent *nest_vm_card_event(const NestVmCard *old, const NestVmCard *card)
{
    const char *kind = NULL;
    g_autofree char *message = NULL;
    if (old == NULL) {
        kind = "vm-added";
        message = g_strdup_printf(
            "%s is there, %s", card->name, nest_nick(nest_vm_state_nicks, card->state));
    } else if (old->state != card->state) {
        kind = state_events[card->state];
        message = g_strdup_printf("%s: %s, was %s", card->name,
            nest_nick(nest_vm_state_nicks, card->state),
            nest_nick(nest_vm_state_nicks, old->state));
    } else if (g_strcmp0(old->revision, card->revision) != 0) {
        kind = "vm-changed";
        message = g_strdup_printf("the definition of %s changed", card->name);
    } else {
        return NULL;
    }
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(kind);
    event->uuid = g_strdup(card->uuid);
    event->name = g_strdup(card->name);
    event->message = g_steal_pointer(&message);
    return event;
}

/* A card from the store says that there was drift, not which. */
static gboolean is_told(const NestVmCard *old, const NestVmCard *card)
{
    if (old == NULL || old->key != NULL)
        return old != NULL && g_strcmp0(old->drift, card->drift) == 0;
    g_autoptr(NestVmSummary) summary = summary_of(old);
    return summary != NULL && summary->drift;
}

NestEvent *nest_vm_card_drift_event(const NestVmCard *old, const NestVmCard *card)
{
    if (card->drift == NULL || is_told(old, card))
        return NULL;
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup("drift");
    event->uuid = g_strdup(card->uuid);
    event->name = g_strdup(card->name);
    event->message =
        g_strdup_printf("%s was changed by somebody else: %s", card->name, card->drift);
    return event;
}
