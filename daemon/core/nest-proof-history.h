/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-store.h"

/* The proofs of the host over time: what an exit of an inner VM cost with which kernel and QEMU.
 * Any thread. */

/* So many of each accel are kept. */
#define NEST_PROOF_HISTORY_MAX 64

/* Those of accel, oldest first, without capabilities and passes: array of NestProof that frees its
 * elements; empty where there are none, or what is stored can't be understood. */
GPtrArray *nest_proof_history_load(NestStore *store, NestAccel accel);

/* The setting that keeps them, and its value. Free with g_free(). */
char *nest_proof_history_setting(NestAccel accel);
char *nest_proof_history_to_text(const GPtrArray *proofs);

/* Adds a copy of proof, the newest. Where there are too many, the oldest of what most are of goes:
 * what was measured with the kernel before is not pushed out. Pure. */
void nest_proof_history_add(GPtrArray *proofs, const NestProof *proof);

/* Whether inner VMs are slower than they were: proof and what else was measured with its kernel (on
 * TCG: its QEMU), against what was measured with the one before, exit by exit. NULL: no, or nothing
 * tells; else a sentence on the worst. The least cycles are compared, which a busy machine changes
 * least; twice as many count. Pure. Free with g_free(). */
char *nest_proof_history_compare(const GPtrArray *proofs, const NestProof *proof);
