/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"
#include "nest-types.h"

/* What was verified inside the VM with the name vm, for people. */

/* All of it. */
void nest_verification_view_print(
    NestOutput *output, const NestVerification *verification, const char *vm);

/* A line for each of the last ones (array of NestVerification). now: milliseconds since 1970. */
void nest_verification_view_print_last(
    NestOutput *output, const GPtrArray *verifications, const char *vm, gint64 now);
