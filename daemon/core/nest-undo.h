/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-plan.h"
#include "nest-store.h"

/* Taking back what an operation changed in a definition, pure. */

/* What is different in to, as items of a plan: array of NestPlanItem without a free function;
 * empty where the definitions are the same. */
GPtrArray *nest_undo_changes(const char *from, const char *to);

/* What a revision changed, in words: "cpu: host-model → host-passthrough + vmx; memory: …". */
char *nest_undo_summary(const NestStoredRevision *revision);

/* What that plan needs: revision wanted (0: the newest) of the VM and all after it, newest first;
 * array of NestStoredRevision that frees its elements. Reads the store. */
gboolean nest_undo_revisions(
    NestStore *store, const char *uuid, gint64 wanted, GPtrArray **ret_revisions, GError **error);

/* The plan to go back to what was before the last of revisions (none: there is none; wanted: the id
 * that was asked for, 0 for the newest). Refused unless the definition is the one that this
 * revision left, or that others left of which each begins where the one before it ended, so that
 * nobody else's change gets lost. */
NestPlan *nest_undo_plan(const NestVmView *view, const GPtrArray *revisions, gint64 wanted);
