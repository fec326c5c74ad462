/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-snapshot.h"
#include "nest-marks.h"
#include "nest-vm-view.h"

/* Where frames of inner VMs end at a device of the host that nestd may change: the port of the
 * bridge, or the network card whose virtual function the VM has. What a VM's definition says is the
 * business of enable. */
typedef struct {
    char *id; /* of the item of the plan: "port-vnet0", "function-eth0-3" */
    char *vm; /* its name */
    char *target; /* nest-link-setting.h, as are these: as it is, and as it shall be */
    char *before, *after;
    gboolean function;
} NestHostBlock;

typedef struct {
    GPtrArray *all; /* NestHostBlock */
    char *error; /* why it is not known; NULL: it is */
} NestHostBlocks;

/* Of the VMs that run and are set up for nesting. Asks the backend for all VMs; never fails. */
NestHostBlocks *nest_host_blocks_take(
    NestBackend *backend, NestHostSnapshot *host, NestMarks *marks);
NestHostBlocks *nest_host_blocks_new(void);
void nest_host_blocks_free(NestHostBlocks *blocks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostBlocks, nest_host_blocks_free)

/* Pure: adds those of one VM. boot: nest_link_setting_boot(). */
void nest_host_blocks_add(NestHostBlocks *blocks, const NestVmView *view, const char *boot);

/* In front of what does by hand what the plan would. */
#define NEST_HOST_BLOCK_FIX "nestctl host fix; by hand: "

/* TRUE if what blocks the VM is looked for. */
gboolean nest_host_blocks_concern(const NestVmView *view);

/* TRUE if id is that of an item for a block. */
gboolean nest_host_block_is_id(const char *id);
