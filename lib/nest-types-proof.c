/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record-table.h"

static const NestField nest_proof_exit_fields[] = {
    FIELD(NestProofExit, pass, STRING, REQUIRED),
    FIELD(NestProofExit, kind, STRING, REQUIRED),
    FIELD(NestProofExit, count, UINT64, OPTIONAL),
    FIELD(NestProofExit, min_cycles, UINT64, OPTIONAL),
    FIELD(NestProofExit, median_cycles, UINT64, OPTIONAL),
};
RECORD(nest_proof_exit, NestProofExit, "measured exit");

static const NestField nest_proof_pass_fields[] = {
    FIELD(NestProofPass, name, STRING, REQUIRED),
    FIELD(NestProofPass, result, STRING, OPTIONAL),
};
RECORD(nest_proof_pass, NestProofPass, "pass of a proof");

static const NestField nest_proof_fields[] = {
    FIELD(NestProof, proved, BOOL, OPTIONAL),
    FIELD(NestProof, code, STRING, REQUIRED),
    FIELD(NestProof, message, STRING, OPTIONAL),
    FIELD(NestProof, next, STRING, OPTIONAL),
    NICKS(NestProof, extension, OPTIONAL, nest_extension_nicks),
    FIELD(NestProof, cpu_vendor, STRING, OPTIONAL),
    FIELD(NestProof, hypervisor, STRING, OPTIONAL),
    FIELD(NestProof, locked, BOOL, OPTIONAL),
    FIELD(NestProof, tsc_khz, UINT64, OPTIONAL),
    FIELD(NestProof, capabilities, STRV, OPTIONAL),
    FIELD(NestProof, missing, STRV, OPTIONAL),
    NESTED(NestProof, passes, RECORDS, OPTIONAL, nest_proof_pass_record),
    NESTED(NestProof, exits, RECORDS, OPTIONAL, nest_proof_exit_record),
    NICKS(NestProof, accel, OPTIONAL, nest_accel_nicks),
    FIELD(NestProof, time, INT64, OPTIONAL),
    FIELD(NestProof, duration_ms, UINT64, OPTIONAL),
    FIELD(NestProof, kernel, STRING, OPTIONAL),
    FIELD(NestProof, kernel_build, STRING, OPTIONAL),
    FIELD(NestProof, qemu_version, STRING, OPTIONAL),
    FIELD(NestProof, libvirt_version, STRING, OPTIONAL),
    FIELD(NestProof, nested_parameter, STRING, OPTIONAL),
    FIELD(NestProof, slat_parameter, STRING, OPTIONAL),
    FIELD(NestProof, revision, STRING, OPTIONAL),
    FIELD(NestProof, outdated, BOOL, OPTIONAL),
    FIELD(NestProof, slower, STRING, OPTIONAL),
};
RECORD(nest_proof, NestProof, "proof");

static const NestField nest_proof_wish_fields[] = {
    NICKS(NestProofWish, accel, OPTIONAL, nest_accel_nicks),
};
RECORD(nest_proof_wish, NestProofWish, "wish for a proof");

FREE(nest_proof_exit, NestProofExit)
FREE(nest_proof_pass, NestProofPass)
FREE(nest_proof, NestProof)
FREE(nest_proof_wish, NestProofWish)
