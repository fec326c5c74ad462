/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard-table.h"
#include "nest-store.h"
#include "nest-vm-reading.h"

#define NEST_VM_CARD_UNTOLD (-1)

/* A VM as the inventory keeps it: its identity, and its JSON made once per change, so that reads
 * copy bytes. Owns all. */
typedef struct {
    char *uuid;
    char *name;
    char *text; /* JSON of NestVm; NULL until it is needed where the card came from the store */
    char *summary; /* JSON of NestVmSummary */
    char *brief; /* JSON of NestVm with only the checks that did not pass; NULL where the card
                  * came from the store */
    char *revision;
    char *key; /* nest_vm_facts_key(); NULL where the card came from the store */
    char *drift; /* nest_vm_drift(), NULL for none, and where the card came from the store */
    char *verdicts; /* of its checks in brief, nest-verdicts.h; NULL where the card came from the
                     * store
                     */
    char *was; /* what the store had of them, aligned; NULL: the same, nothing, or not compared */
    NestVmState state;
    gint64 saved_time; /* as in NestVmFacts; 0 where the card came from the store */
    int run; /* as in NestVmFacts; -1 where the card came from the store */
    gboolean booted; /* likewise */
    gboolean asks; /* its definition asks for the extension */
    NestGiven *given; /* NULL where it does not run, and where the card came from the store */
    NestFlaw flaw_at_start; /* of given, had it been started with the definition as it is */
    int told; /* the flaw of this run that was told; UNTOLD: nothing was */
    gboolean stopping; /* for a flaw of this run */
    gint64 seen_start; /* when nestd saw it start, monotonic µs; 0: it did not */
    guint64 order; /* of the reading: a later one wins */
    gboolean stored; /* the store has this text */
} NestVmCard;

/* Judges reading (all checks) and encodes it. Any thread. */
NestVmCard *nest_vm_card_make(const NestVmReading *reading, NestParity parity);
/* Takes the strings out of stored. */
NestVmCard *nest_vm_card_from_store(NestStoredVm *stored);
NestStoredVm *nest_vm_card_to_store(const NestVmCard *card);
void nest_vm_card_free(NestVmCard *card);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVmCard, nest_vm_card_free)

/* Fetches the text that a card from the store still lacks; nothing to do for any other. */
gboolean nest_vm_card_complete(NestVmCard *card, NestStore *store, GError **error);

/* Looks whether the store has the card's text already: sets stored, and was. Any thread. */
void nest_vm_card_compare(NestVmCard *card, NestStore *store);

/* What the card says of it; NONE where it says nothing. */
NestActivity nest_vm_card_activity(const NestVmCard *card);
NestNesting nest_vm_card_nesting(const NestVmCard *card); /* likewise, OFF */
gboolean nest_vm_card_lacks(const NestVmCard *card, const char *check); /* that it failed */

/* Sets or clears (0) the operation under way in the texts of a complete card. */
void nest_vm_card_set_operation(NestVmCard *card, gint64 operation);

/* The event that tells that the VM has drifted, NULL where it has not or that was told. */
NestEvent *nest_vm_card_drift_event(const NestVmCard *old, const NestVmCard *card);

/* The event that tells the difference between two cards of a VM (old NULL: new), NULL where a
 * person would see none. */
NestEvent *nest_vm_card_event(const NestVmCard *old, const NestVmCard *card);
