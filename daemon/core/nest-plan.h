/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-view.h"

#define NEST_MEMORY_WANTED_KIB (4ull * 1024 * 1024)

/* The plan to switch nesting on or off, pure. decline (nullable): ids of optional items to leave
 * out; unknown or non-optional ids refuse the plan, optional ones that do not apply are fine.
 * The hash covers definition, state, saved state, wish, declined items and the steps, and not
 * what passes by itself (snapshots, warnings). Items in the order in which they are shown:
 *
 * id              when
 * saved-state     a saved state is there, and something is redefined or nesting is to be on
 * power-off       it is not off, and something is redefined
 * extensions      enable: not exposed and enforced; disable: not both explicitly hidden
 * dynamic-memory  enable: memory is dynamic, or a balloon is there and extensions get exposed, or
 *                 the VM has drifted
 * mac-spoofing    enable, optional: an interface filters foreign MAC addresses
 * port-isolation  enable, optional: the port of an interface is isolated
 * memory          enable, optional: less than NEST_MEMORY_WANTED_KIB, and not divided
 * drift           enable: nothing else, and the VM has drifted in what was declined
 *
 * A VM that hosts others refuses to have nesting hidden, and a paused one that may host others to
 * be turned off. A host that has no extension for the VM refuses enable; one where it is only
 * switched off does not, but warnings says that the VM will not start and what to do. */
NestPlan *nest_plan_make(const NestVmView *view, gboolean enable, const char *const *decline);

/* The plan to replace the definition by xml, which changes that much (taken over, array of
 * NestPlanItem, not empty); enable: nesting is on after it. Power-off and saved state as above. */
NestPlan *nest_plan_replace(
    const NestVmView *view, const char *xml, GPtrArray *changes, gboolean enable);

/* The plan that does nothing: refused where problem (taken over) is not NULL. */
NestPlan *nest_plan_nothing(const NestVmView *view, NestProblem *problem);

/* What the plan makes of the definition. */
NestDomainWish nest_plan_wish(const NestPlan *plan, NestExtension extension);

/* The same for the VM of view, with the filters of its own that block. It borrows from view. */
NestDomainWish nest_plan_wish_for(const NestPlan *plan, const NestVmView *view);

const NestPlanItem *nest_plan_item(const NestPlan *plan, const char *id);
