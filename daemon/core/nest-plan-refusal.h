/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"
#include "nest-vm-view.h"

/* What a plan is refused for. Pure. */

/* The VM, the host, or who says who may nest; error must not be NULL. */
gboolean nest_plan_refuses(const NestVmView *view, gboolean enable, GError **error);

/* The policy, where another definition, which nests like that, would switch nesting on: what nests
 * already is left alone. error must not be NULL. */
gboolean nest_plan_refuses_switch(const NestVmView *view, NestNesting then, GError **error);

/* What the VM does right now, where it is to be turned off; hides: nesting, which it has. error
 * must not be NULL. */
gboolean nest_plan_refuses_now(const NestVmView *view, gboolean hides, GError **error);

/* TRUE if the VM hosts others, or may: it is asked to shut down, and not powered off. */
gboolean nest_plan_only_asks(const NestVmView *view);
