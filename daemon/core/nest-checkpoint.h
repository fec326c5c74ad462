/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-view.h"

/* Checkpoints as nestd knows them; pure. */

/* What nestd writes into a checkpoint that it makes of the VM as view has it. */
char *nest_checkpoint_note(const NestVmView *view);

/* What the hypervisor has, judged: view is of the VM that it belongs to. */
NestCheckpoint *nest_checkpoint_from(
    const NestBackendCheckpoint *checkpoint, const NestVmView *view);

/* The same of all: array of NestCheckpoint that frees its elements. */
GPtrArray *nest_checkpoints_from(const GPtrArray *checkpoints, const NestVmView *view);

/* NULL where there is none of that name. */
const NestBackendCheckpoint *nest_checkpoint_find(const GPtrArray *checkpoints, const char *name);
