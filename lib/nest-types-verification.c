/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record-table.h"

static const NestField nest_measure_fields[] = {
    FIELD(NestMeasure, name, STRING, REQUIRED),
    FIELD(NestMeasure, count, UINT64, REQUIRED),
    FIELD(NestMeasure, own_ns, UINT64, OPTIONAL),
    FIELD(NestMeasure, inner_ns, UINT64, OPTIONAL),
};
RECORD(nest_measure, NestMeasure, "measure");

static const NestField nest_verification_fields[] = {
    FIELD(NestVerification, verified, BOOL, OPTIONAL),
    FIELD(NestVerification, code, STRING, REQUIRED),
    FIELD(NestVerification, message, STRING, OPTIONAL),
    NICKS(NestVerification, family, OPTIONAL, nest_guest_family_nicks),
    FIELD(NestVerification, os, STRING, OPTIONAL),
    FIELD(NestVerification, guest_kernel, STRING, OPTIONAL),
    NICKS(NestVerification, extension, OPTIONAL, nest_extension_nicks),
    FIELD(NestVerification, cpu_vendor, STRING, OPTIONAL),
    FIELD(NestVerification, hypervisor, STRING, OPTIONAL),
    FIELD(NestVerification, tsc_khz, UINT64, OPTIONAL),
    NESTED(NestVerification, passes, RECORDS, OPTIONAL, nest_proof_pass_record),
    NESTED(NestVerification, measures, RECORDS, OPTIONAL, nest_measure_record),
    NESTED(NestVerification, checks, RECORDS, OPTIONAL, nest_check_record),
    NICKS(NestVerification, accel, OPTIONAL, nest_accel_nicks),
    FIELD(NestVerification, time, INT64, OPTIONAL),
    FIELD(NestVerification, duration_ms, UINT64, OPTIONAL),
    FIELD(NestVerification, kernel, STRING, OPTIONAL),
    FIELD(NestVerification, kernel_build, STRING, OPTIONAL),
    FIELD(NestVerification, qemu_version, STRING, OPTIONAL),
    FIELD(NestVerification, libvirt_version, STRING, OPTIONAL),
    FIELD(NestVerification, nested_parameter, STRING, OPTIONAL),
    FIELD(NestVerification, slat_parameter, STRING, OPTIONAL),
    FIELD(NestVerification, revision, STRING, OPTIONAL),
    FIELD(NestVerification, outdated, BOOL, OPTIONAL),
};
RECORD(nest_verification, NestVerification, "verification");

FREE(nest_measure, NestMeasure)
FREE(nest_verification, NestVerification)
