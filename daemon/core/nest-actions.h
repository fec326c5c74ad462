/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard.h"

/* Appends to vm->actions what can be asked of the VM in its present state, each with what its guard
 * says. Pure. */
void nest_actions_add(const NestVmView *view, NestParity parity, NestVm *vm);
