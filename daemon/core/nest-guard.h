/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-plan.h"

/* What must not be done to a VM because of nesting. One table, pure. */
typedef enum { NEST_GUARD_START, NEST_GUARD_SAVE } NestGuarded;

/* TRUE if the operation may go on; else error says why not and what to do. */
gboolean nest_guard_allows(NestGuarded operation, const NestVmView *view, GError **error);
