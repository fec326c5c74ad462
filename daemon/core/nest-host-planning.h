/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"
#include "nest-host-change.h"
#include "nest-host-repair.h"

/* The making of a plan for the host, pure: what the plans to repair it and to take that back have
 * in common. */
typedef struct {
    const NestHostFacts *host; /* borrowed, as is repair */
    const NestHostRepair *repair;
    NestPlan *plan;
    NestHostChange *change;
    GStrvBuilder *warnings;
    GError *obstacle; /* the first */
} NestHostPlanning;

NestHostPlanning *nest_host_planning_new(const NestHostFacts *host, const NestHostRepair *repair);
void nest_host_planning_free(NestHostPlanning *planning);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostPlanning, nest_host_planning_free)

/* Adds an item; takes the strings that were made for it over. */
NestPlanItem *nest_host_planning_item(
    NestHostPlanning *planning, const char *id, char *title, char *current, char *target);

void nest_host_planning_warn(NestHostPlanning *planning, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* What can't be done now: a warning of a plan that does something, the reason to refuse one that
 * does nothing. */
void nest_host_planning_obstacle(NestHostPlanning *planning, NestErrorCode code, const char *next,
    const char *format, ...) G_GNUC_PRINTF(4, 5);

/* TRUE if module, which is loaded, can be unloaded; else the obstacle is added. */
gboolean nest_host_planning_can_unload(NestHostPlanning *planning, const char *module);

/* Ends it. The hash is of what the plan does, of what was declined (nullable), and of why not. */
NestPlan *nest_host_planning_end(NestHostPlanning *planning, const char *const *decline,
    gboolean nests, NestHostChange **ret_change);

/* The same for a plan that is refused because of error. */
NestPlan *nest_host_planning_refuse(
    NestHostPlanning *planning, const GError *error, NestHostChange **ret_change);
