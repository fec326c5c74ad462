/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"
#include "nest-types.h"

/* Proofs for people. vm: with whose CPU; NULL: of the host. */

/* All of one. */
void nest_proof_view_print(NestOutput *output, const NestProof *proof, const char *vm);

/* A line for each of the last ones (array of NestProof). now: milliseconds since 1970. */
void nest_proof_view_print_last(
    NestOutput *output, const GPtrArray *proofs, const char *vm, gint64 now);

/* All that were kept of the host, a line each. */
void nest_proof_view_print_history(NestOutput *output, const GPtrArray *proofs);
