/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* A state that a VM can be put back to. */
typedef struct {
    char *name;
    gint64 time;
    gboolean current;
    gboolean unfinished;
    char *description;
    char *xml; /* the definition of then */
    char *live_xml; /* what ran then, NULL: nothing */
} NestFakeCheckpoint;

NestFakeCheckpoint *nest_fake_checkpoint_copy(const NestFakeCheckpoint *checkpoint);
void nest_fake_checkpoint_free(NestFakeCheckpoint *checkpoint);

/* The VMs of the fake hypervisor, in a directory: one file UUID.json each, replaced by rename, so
 * that a process killed at any point, or another program that edits the directory (nest_fake.py),
 * leaves the old or the new VM. UUID.gone says that a seeded VM was undefined.
 *
 * Not locked: callers hold one lock around it. What it returns is valid until the next call. */
typedef struct {
    char *uuid;
    char *name;
    NestVmState state; /* off, running, paused or crashed */
    gboolean saved_state;
    guint64 saved_bytes;
    gint64 saved_time;
    guint snapshots;
    gboolean autostart;
    guint restarts; /* how often the guest has begun anew */
    char *xml;
    char *live_xml;
    gint64 run; /* counts its starts */
    gboolean carried; /* this run did not begin with a boot */
    NestStartLog start_log; /* of this run */
    char *saved_xml; /* what will run again when the saved state is resumed */
    GPtrArray *checkpoints; /* NestFakeCheckpoint, NULL for none */
    gint64 off_at; /* when the guest will have shut down, ms of the epoch; 0: it will not */
} NestFakeVm;

void nest_fake_vm_free(NestFakeVm *vm);
NestFakeVm *nest_fake_vm_copy(const NestFakeVm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestFakeVm, nest_fake_vm_free)

/* Turns the VM off, in the struct only. */
void nest_fake_vm_power_off(NestFakeVm *vm);

typedef struct NestFakeState NestFakeState;

/* seeds: so many VMs exist that have no file before they are first changed. */
NestFakeState *nest_fake_state_new(const char *directory, guint seeds);
void nest_fake_state_free(NestFakeState *state);

/* Keeps other programs that edit the directory out. Around every read-modify-write. */
void nest_fake_state_hold(NestFakeState *state);
void nest_fake_state_release(NestFakeState *state);

/* As the directory has it now; NULL where there is none. */
const NestFakeVm *nest_fake_state_get(NestFakeState *state, const char *uuid);
const NestFakeVm *nest_fake_state_by_name(NestFakeState *state, const char *name);

/* All, in no order: array of const NestFakeVm. */
GPtrArray *nest_fake_state_all(NestFakeState *state);

/* Takes vm over. On failure nothing has changed. */
gboolean nest_fake_state_put(NestFakeState *state, NestFakeVm *vm, GError **error);
gboolean nest_fake_state_remove(NestFakeState *state, const char *uuid, GError **error);

/* Turns off the VMs whose guest has shut down by now; the time of the next, 0 for none. */
gint64 nest_fake_state_settle(NestFakeState *state);
