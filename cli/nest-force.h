/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-arguments.h"

/* --force and --reason: one without the other is USAGE. */
gboolean nest_force_check(const NestArguments *arguments, GError **error);
