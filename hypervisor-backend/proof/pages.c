/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"
#include "x86.h"

#define LEVELS 4
#define ENTRIES 512
#define PAGE_SIZE 4096

static uint64_t tables[LEVELS][ENTRIES] __attribute__((aligned(PAGE_SIZE)));

uint64_t pages_map(uint64_t flags, uint64_t leaf_flags)
{
    for (unsigned level = 0; level + 1 < LEVELS; level++)
        tables[level][0] = x86_physical(tables[level + 1]) | flags;
    for (uint64_t i = 0; i < ENTRIES; i++)
        tables[LEVELS - 1][i] = i * PAGE_SIZE | leaf_flags;
    return x86_physical(tables[0]);
}
