/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-view.h"

/* Drift, pure: nestd switched nesting on in the VM, and its definition, which is not as nestd left
 * it any more, lacks what that rests on. Any other edit is none, nor is what was left out then.
 * Returns what is not so any more, for people ("nesting is off, memory is dynamic, the port of
 * 52:54:00:00:00:01 is isolated"), the same whether the VM runs or not; NULL for none. */
char *nest_vm_drift(const NestVmView *view);
