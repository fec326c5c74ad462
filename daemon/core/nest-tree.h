/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* The host, its VMs and theirs, put together from what is known. Pure. */

#define NEST_TREE_INNER_MAX 100 /* inner VMs shown of each; their sums are of all */

typedef struct {
    char *summary; /* JSON of NestVmSummary */
    NestInnerVms *inner; /* NULL: not known */
    char *unknown; /* why */
    gint64 time; /* when it was asked */
    gboolean hidden; /* only counted */
} NestTreeBranch;
void nest_tree_branch_free(NestTreeBranch *branch);

/* branches: array of NestTreeBranch; what is in them may be moved out. */
NestTree *nest_tree_make(const NestHost *host, guint64 memory_kib, GPtrArray *branches);
