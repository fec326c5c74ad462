/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Part of nest-types.h, which includes it: what was proved by running inner code. */

/* What one exit of the inner VM and the entry after it cost, in cycles of the TSC. */
typedef struct {
    char *pass; /* "shadow", "nested-paging" */
    char *kind; /* "cpuid", "io", "hlt", "page-fault", "nested-fault" */
    guint64 count; /* how many were measured */
    guint64 min_cycles;
    guint64 median_cycles;
} NestProofExit;

/* One way to run an inner VM that was tried. */
typedef struct {
    char *name; /* "shadow", "nested-paging", "real-mode" */
    char *result; /* "ok", "absent", or a code as below */
} NestProofPass;

/* Whether an inner VM really ran in a VM, and what that VM's CPU offers to a hypervisor. */
typedef struct {
    gboolean proved;
    char *code; /* "proved", "not-supported", "locked", …: stable */
    char *message; /* the same for people, with what was seen */
    char *next; /* what to do about it, NULL where nothing tells */
    NestExtension extension;
    char *cpu_vendor;
    char *hypervisor; /* by whose word the VM is one: "KVMKVMKVM", "TCGTCGTCGTCG" */
    gboolean locked;
    guint64 tsc_khz; /* 0: not known */
    GStrv capabilities; /* of the extension, in the VM: "ept", "npt", "vpid", … */
    GStrv missing; /* those that were looked for, and are not there */
    GPtrArray *passes; /* NestProofPass */
    GPtrArray *exits; /* NestProofExit */
    NestAccel accel; /* KVM or TCG: what ran the VM */
    gint64 time; /* when */
    guint64 duration_ms; /* from the wish to the result, QEMU's start included */
    char *kernel; /* of the host, … */
    char *kernel_build;
    char *qemu_version;
    char *libvirt_version;
    char *nested_parameter;
    char *slat_parameter; /* … as they were then */
    char *revision; /* of the definition of the VM whose CPU it was, as then; NULL: of the host */
    gboolean outdated; /* one of these has changed since */
    char *slower; /* than with the kernel, or on TCG the QEMU, before: how much; NULL: it is not */
} NestProof;

void nest_proof_exit_free(NestProofExit *exit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestProofExit, nest_proof_exit_free)
void nest_proof_pass_free(NestProofPass *pass);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestProofPass, nest_proof_pass_free)
void nest_proof_free(NestProof *proof);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestProof, nest_proof_free)
