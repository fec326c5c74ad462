/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-probe.h"

/* Whether firmware has switched the virtualization extension off and locked it. */
typedef struct {
    gboolean known; /* FALSE: it could not be found out */
    gboolean locked;
    char *read; /* what was read and where, or why it could not be */
} NestFirmwareLock;

/* IA32_FEATURE_CONTROL (Intel SDM vol. 3C 24.7): bit 0 locks the register, bit 2 allows VMX. */
#define NEST_MSR_FEATURE_CONTROL 0x3Au
/* VM_CR (AMD APM vol. 2, 15.30.1): bit 4, SVMDIS, forbids EFER.SVME. */
#define NEST_MSR_VM_CR 0xC0010114u

/* Asks CPUID whether the CPU has the extension at all (SDM vol. 2A, leaf 1, ECX bit 5; APM vol. 3,
 * leaf 0x80000001, ECX bit 2) through dev/cpu/0/cpuid below root, or itself where root is "/". Then
 * the MSR of the CPU's vendor through dev/cpu/0/msr (not inside a VM, where the outer hypervisor
 * makes its value up), then the kernel log: dev/kmsg, or var/log/dmesg, which may
 * be of an earlier boot and so counts only where the kernel shows no extension. The log can prove
 * a lock, never that there is none: it may have been overwritten.
 * Of facts it takes what /proc/cpuinfo says. */
void nest_firmware_lock_read(
    const char *root, const NestHostFacts *facts, NestFirmwareLock *ret_lock);
