/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-arguments.h"
#include "nest-types.h"

/* The wish that the arguments of create describe. Paths are made absolute, relative to where
 * nestctl runs. Pure but for that. USAGE. */
NestVmSpec *nest_spec_from_arguments(const NestArguments *arguments, GError **error);

/* The same for guest create-vm, whose paths are those of the guest: they stay as they are. */
NestInnerSpec *nest_spec_inner(const NestArguments *arguments, GError **error);
