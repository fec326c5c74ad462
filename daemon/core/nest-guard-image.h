/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard.h"

/* Whether the memory in image (a checkpoint, or a saved state told of as one) can go on running in
 * the VM as it is now; operation is RESTORE or APPLY_MEMORY. One that nests is held to the trust in
 * the VM, like a start. Pure. */
NestGuardVerdict *nest_guard_judge_image(
    NestGuarded operation, const NestVmView *view, const NestCheckpoint *image, NestParity parity);

/* The same for a checkpoint of disks alone. */
NestGuardVerdict *nest_guard_judge_disks(const NestVmView *view, const NestCheckpoint *image);
