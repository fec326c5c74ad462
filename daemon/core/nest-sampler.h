/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-activity.h"
#include "nest-marks.h"
#include "nest-vm-view.h"

/* Looks at running VMs, remembers what it needs to judge them (nest-activity.h), and keeps what
 * came of it in the marks. All functions are for any thread; round() and look() block, for a few
 * seconds at most. */
typedef struct NestSampler NestSampler;

/* monitor_seconds: how often QEMU may be asked for registers, which taints a VM; 0: never. Borrows
 * the others. */
NestSampler *nest_sampler_new(NestBackend *backend, NestMarks *marks, guint monitor_seconds);
void nest_sampler_free(NestSampler *sampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestSampler, nest_sampler_free)

/* What was last given out of a VM by the nestd before this one. */
void nest_sampler_recall(NestSampler *sampler, const char *uuid, NestActivity activity);

/* What a reading of a VM says of its CPU: one without an extension needs no monitor. */
void nest_sampler_tell(NestSampler *sampler, const NestVmView *view);

typedef struct {
    char uuid[37];
    NestActivity from; /* as last given out; NONE where it was not */
    NestActivity to; /* NONE: it does not run any more */
    const char *event; /* the kind of the event that this is, NULL for none */
} NestActivityChange;

/* One look at all running VMs, by one call, and at the registers of those where that is due.
 * ret_changes: array of NestActivityChange, what changed since the last round; also on failure,
 * which makes everything unknown if it lasts. */
gboolean nest_sampler_round(NestSampler *sampler, GPtrArray **ret_changes, GError **error);

/* What the VM of view does right now, for who is about to do something to it: looked at afresh,
 * twice where once does not tell. UNKNOWN where it can't be told. */
NestActivity nest_sampler_look(NestSampler *sampler, const NestVmView *view);
