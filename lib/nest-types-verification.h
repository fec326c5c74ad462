/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Part of nest-types-guest.h, which includes it: what was verified inside a VM. */

/* What count of something took, in a VM itself and in an inner VM. */
typedef struct {
    char *name; /* "exit-cpuid", "exit-io", "cpu", "fault", "memory" */
    guint64 count; /* exits, rounds of a computation, pages, bytes */
    guint64 own_ns; /* 0: the VM itself has none of that kind */
    guint64 inner_ns;
} NestMeasure;

/* Whether an inner VM really ran inside a VM, on KVM or Windows' own hypervisor, and what it cost.
 */
typedef struct {
    gboolean verified;
    char *code; /* "verified", "no-device", "wrong-exit", …: stable */
    char *message; /* the same for people, with what was seen */
    NestGuestFamily family;
    char *os; /* of the guest, for people */
    char *guest_kernel;
    NestExtension extension; /* that its CPU shows */
    char *cpu_vendor;
    char *hypervisor; /* by whose word it is a VM: "KVMKVMKVM", "TCGTCGTCGTCG" */
    guint64 tsc_khz; /* 0: not known */
    GPtrArray *passes; /* NestProofPass: "real", "long" */
    GPtrArray *measures; /* NestMeasure */
    GPtrArray *checks; /* NestCheck: of what is inside, those that are of concern */
    NestAccel accel; /* what ran the VM */
    gint64 time; /* when */
    guint64 duration_ms;
    char *kernel; /* of the host, … */
    char *kernel_build;
    char *qemu_version;
    char *libvirt_version;
    char *nested_parameter;
    char *slat_parameter; /* … as they were then */
    char *revision; /* of the VM's definition, NULL where it did not run by it */
    gboolean outdated; /* one of these has changed since */
} NestVerification;

void nest_measure_free(NestMeasure *measure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestMeasure, nest_measure_free)
void nest_verification_free(NestVerification *verification);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVerification, nest_verification_free)
