/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-checks.h"
#include "nest-recipe-run.h"

/* The plan to get a hypervisor into a guest, pure. Its items have the ids of the recipe's steps, in
 * their order; then, where restart is wished and something needs it, "restart". */

/* NULL: the guest may be looked at; else why there is no point in it, for the caller to free. */
NestProblem *nest_install_plan_obstacle(const NestVmView *view);

/* decline (nullable): ids of optional steps to leave out; others refuse the plan. The hash covers
 * the recipe with its commands, what is there of it, the wish and what was declined.
 * Refused: there is no recipe for the guest, what it needs does not hold, or everything is there
 * and a proof fails. On Windows also where the checks win.build, win.edition or win.boot-risk fail
 * or can't be judged, and are not ignored: its next boot might not end. */
NestPlan *nest_install_plan_make(const NestVmView *view, const NestRecipeLook *look,
    gboolean restart, const char *const *decline);

/* What is missing yet of all but declined, once the plan was carried out: NULL nothing. A clause.
 * *ret_restart: it waits for a restart, and no proof counts before that. */
const char *nest_install_plan_missing(
    const NestRecipeLook *look, const char *const *decline, gboolean *ret_restart);
