/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-advice.h"
#include "nest-policy.h"

/* Where the host is read, and what is known of kernels. Remembers the kernel that was read last,
 * whose changelog is long. All functions are for any thread. */
typedef struct NestHostPlace NestHostPlace;

/* advisories: nullable; counted. */
NestHostPlace *nest_host_place_new(const char *root, NestAdvisories *advisories);
void nest_host_place_free(NestHostPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostPlace, nest_host_place_free)

/* What the administrator thinks of it, borrowed; nullable. Set before the place is shared. */
void nest_host_place_set_policy(NestHostPlace *place, const NestPolicy *policy);
const NestPolicy *nest_host_place_policy(const NestHostPlace *place);

const char *nest_host_place_root(const NestHostPlace *place);

/* NULL without advisories. Blocks, the first time and after the kernel's package has changed for
 * some tens of milliseconds. */
NestAdvice *nest_host_place_advise(NestHostPlace *place, const NestHostFacts *facts);
