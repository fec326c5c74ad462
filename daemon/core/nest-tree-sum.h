/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* How much VMs have together, and whether that is more than there is. Pure. */

/* What of a VM in such a state holds memory and CPUs now. */
gboolean nest_tree_sum_is_active(NestVmState state);
void nest_tree_sum_add(NestTreeSum *sum, guint64 memory_kib, guint vcpus);

typedef struct {
    const char *whom; /* "inner VMs" */
    guint64 memory_kib; /* that there is; 0: not known */
    guint cpus; /* likewise */
} NestTreeRoom;

/* A sentence for memory and one for CPUs, where those that are active have more of it, else where
 * all would have. */
GStrv nest_tree_sum_judge(
    const NestTreeSum *all, const NestTreeSum *active, const NestTreeRoom *room);
