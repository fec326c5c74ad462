/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard.h"

/* What somebody else asks the hypervisor to do, without nestd. Pure. */

/* What nestd knows of the VM of that UUID; all zero where it knows none. */
typedef struct {
    gboolean known;
    NestVmState state;
    gint64 saved_time; /* of its saved state, as in NestVmFacts */
    NestNesting nesting; /* by its definition */
    gboolean own; /* an operation of nestd's own is under way on it */
} NestOutside;

/* view: of what would run, which is off for a restore and runs for a migration. What it did where
 * it ran before is not known, and counts as hosting; but where a saved state waits that nestd made,
 * its note counts. Without the extension all is well. */
NestGuardVerdict *nest_guard_judge_outside(
    NestOutsideKind kind, const NestVmView *view, const NestOutside *outside, NestParity parity);
