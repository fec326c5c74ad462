/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"
#include "nest-types.h"

/* Proofs for people. */

/* The whole of one. */
void nest_proof_view_print(NestOutput *output, const NestProof *proof);

/* A line for each of the last ones (array of NestProof). now: milliseconds since 1970. */
void nest_proof_view_print_last(NestOutput *output, const GPtrArray *proofs, gint64 now);
