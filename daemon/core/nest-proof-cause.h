/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-probe.h"

/* Why the CPU of a proof has no extension: the program that ran on it can't know. Replaces message
 * and next of a proof with the code "not-supported"; leaves others alone. facts: of the host, as it
 * was then. vm: of whose CPU it is (nullable: none's), and hidden: by its definition. Pure. */
void nest_proof_find_cause(
    NestProof *proof, const NestHostFacts *facts, const char *vm, gboolean hidden);
