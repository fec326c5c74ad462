/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Appends every guard, as NestCheckInfo. */
void nest_guard_catalogue_add(GPtrArray *catalogue);
