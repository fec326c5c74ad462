/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* Tables of the second level: the first 2 MiB one to one, in pages of 4 KiB, and nothing else.
 * Entries of EPT (SDM vol. 3C, 29.3.2) and of AMD's nested paging (APM vol. 2, 15.25) differ in
 * what the low bits mean; flags are those of a table, leaf_flags of a page. Returns the physical
 * address of the first table. */
uint64_t pages_map(uint64_t flags, uint64_t leaf_flags);
