/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* What the hashes of plans have in common: every part counts with its length, so that no two
 * different plans look the same. text is nullable. */
void nest_plan_hash_text(GChecksum *sum, const char *text);
void nest_plan_hash_number(GChecksum *sum, guint number);
void nest_plan_hash_items(GChecksum *sum, const GPtrArray *items);
