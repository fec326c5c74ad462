/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"
#include "nest-guard-table.h"
#include "nest-vm-view.h"

/* The table of guards, applied to a VM. Pure. */

typedef struct {
    NestGuardSay say;
    NestErrorCode code; /* of a refusal */
    const char *id; /* "guard.save" */
    char *reason; /* a sentence; NULL where all is well */
    char *next; /* what to do instead, NULL where nothing is to be done or known */
} NestGuardVerdict;

void nest_guard_verdict_free(NestGuardVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestGuardVerdict, nest_guard_verdict_free)

/* What the VM does with its extension, whose it is, and what the host can carry. What is not known
 * counts as the worst that it may be. */
NestGuardState nest_guard_state(const NestVmView *view);

NestGuardVerdict *nest_guard_judge(
    NestGuarded operation, const NestVmView *view, NestParity parity);

/* TRUE unless verdict refuses; else error says why not and what to do. */
gboolean nest_guard_verdict_allows(const NestGuardVerdict *verdict, GError **error);

/* Both at once. */
gboolean nest_guard_allows(
    NestGuarded operation, const NestVmView *view, NestParity parity, GError **error);
