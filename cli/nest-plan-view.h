/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"
#include "nest-types.h"

/* The plan as a numbered list: what will be changed, then what is optional, then warnings.
 * aim: "enable nesting". */
void nest_plan_view_print(NestOutput *output, const NestPlan *plan, const char *aim);

/* The warnings alone: where nothing has to be changed they are true all the same. */
void nest_plan_view_print_warnings(NestOutput *output, const NestPlan *plan);

/* That nothing has to be changed in name, then warnings. */
void nest_plan_view_print_nothing(
    NestOutput *output, const NestPlan *plan, gboolean enable, const char *name);

/* The items in the order they are numbered, from 0; NULL beyond the last. */
const NestPlanItem *nest_plan_view_item(const NestPlan *plan, guint index);

/* TRUE if plan does just what shown does, but for the items whose ids are in declined. Pure. */
gboolean nest_plan_view_same(
    const NestPlan *shown, const char *const *declined, const NestPlan *plan);
