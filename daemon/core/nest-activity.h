/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-types.h"

/* What a running VM does with its extension, from looks at it (NestVmSample), pure. Facts F4, F5,
 * F15, F18, F19 and F22 of docs/facts.md are the reasons. */

/* What is known of one VM from the looks before; zeroed before the first. */
typedef struct {
    gboolean begun;
    int run; /* of the last look */
    gint64 seen; /* when that was, µs */
    gboolean counted; /* statistics were there in this run */
    guint64 nested_run;
    gint64 since; /* when watching began, µs: of this run, of these counters, of CPUs that run */
    gint64 entered; /* when an inner VM was last seen to run, 0 never */
    gboolean carried; /* the last look found it brought in */
    gboolean perhaps; /* a hypervisor may be at work inside though nothing moves */
    NestAnswer exposed; /* as the monitor told */
    NestAnswer switched_on; /* likewise */
    gint64 told; /* when it did */
    NestActivity activity; /* what came of it */
} NestActivityMemory;

/* So long may an inner VM that has nothing to do not be entered, µs. */
#define NEST_ACTIVITY_STILL_US (15 * G_USEC_PER_SEC)

/* For so long holds what the monitor told, µs. */
#define NEST_ACTIVITY_TOLD_US (60 * G_USEC_PER_SEC)

/* Takes a look into memory, and says what it comes to; of one that is older than the last only what
 * the monitor told counts. exposed: the CPU may have the extension, by the definition that runs.
 *
 * HOSTING: the counter grew, or a CPU is in an inner VM, or that was less than STILL_US ago.
 * ARMED: the registers say so; or nothing moved for STILL_US, and something may be at work inside.
 * EXPOSED: the registers say so; or the counter stands at 0 since boot.
 * OFF: there is no extension.
 * UNKNOWN: there is neither counter nor register, or nothing moved yet in what was brought here.
 * A counter that fell, and another run, mean new CPUs: all begins anew. */
NestActivity nest_activity_judge(
    NestActivityMemory *memory, const NestVmSample *sample, gboolean exposed);

/* The kind of the event that going from one to the other is, NULL where it is none. hosting: what
 * was last told of inner VMs; is set to what is told by this. */
const char *nest_activity_event(NestActivity from, NestActivity to, gboolean *hosting);
