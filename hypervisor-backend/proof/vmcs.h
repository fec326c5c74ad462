/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Fields of the VMCS: SDM vol. 3D, appendix B. */
#define VMCS_VIRTUAL_PROCESSOR_IDENTIFIER 0x0000
#define VMCS_GUEST_SELECTOR(segment) (0x0800u + 2 * (segment))
#define VMCS_HOST_SELECTOR(segment) (0x0C00u + 2 * (segment))
#define VMCS_HOST_TR_SELECTOR 0x0C0C
#define VMCS_EPT_POINTER 0x201A
#define VMCS_LINK_POINTER 0x2800
#define VMCS_GUEST_DEBUGCTL 0x2802
#define VMCS_PIN_BASED_CONTROLS 0x4000
#define VMCS_PROCESSOR_BASED_CONTROLS 0x4002
#define VMCS_EXCEPTION_BITMAP 0x4004
#define VMCS_PAGE_FAULT_ERROR_CODE_MASK 0x4006
#define VMCS_PAGE_FAULT_ERROR_CODE_MATCH 0x4008
#define VMCS_CR3_TARGET_COUNT 0x400A
#define VMCS_EXIT_CONTROLS 0x400C
#define VMCS_EXIT_MSR_STORE_COUNT 0x400E
#define VMCS_EXIT_MSR_LOAD_COUNT 0x4010
#define VMCS_ENTRY_CONTROLS 0x4012
#define VMCS_ENTRY_MSR_LOAD_COUNT 0x4014
#define VMCS_ENTRY_INTERRUPTION_INFORMATION 0x4016
#define VMCS_SECONDARY_CONTROLS 0x401E
#define VMCS_INSTRUCTION_ERROR 0x4400
#define VMCS_EXIT_REASON 0x4402
#define VMCS_EXIT_INTERRUPTION_INFORMATION 0x4404
#define VMCS_GUEST_LIMIT(segment) (0x4800u + 2 * (segment))
#define VMCS_GUEST_GDTR_LIMIT 0x4810
#define VMCS_GUEST_IDTR_LIMIT 0x4812
#define VMCS_GUEST_ACCESS_RIGHTS(segment) (0x4814u + 2 * (segment))
#define VMCS_GUEST_INTERRUPTIBILITY 0x4824
#define VMCS_GUEST_ACTIVITY 0x4826
#define VMCS_GUEST_SYSENTER_CS 0x482A
#define VMCS_HOST_SYSENTER_CS 0x4C00
#define VMCS_CR0_GUEST_HOST_MASK 0x6000
#define VMCS_CR4_GUEST_HOST_MASK 0x6002
#define VMCS_CR0_READ_SHADOW 0x6004
#define VMCS_CR4_READ_SHADOW 0x6006
#define VMCS_EXIT_QUALIFICATION 0x6400
#define VMCS_GUEST_CR0 0x6800
#define VMCS_GUEST_CR3 0x6802
#define VMCS_GUEST_CR4 0x6804
#define VMCS_GUEST_BASE(segment) (0x6806u + 2 * (segment))
#define VMCS_GUEST_GDTR_BASE 0x6816
#define VMCS_GUEST_IDTR_BASE 0x6818
#define VMCS_GUEST_DR7 0x681A
#define VMCS_GUEST_RSP 0x681C
#define VMCS_GUEST_RIP 0x681E
#define VMCS_GUEST_RFLAGS 0x6820
#define VMCS_GUEST_PENDING_DEBUG 0x6822
#define VMCS_GUEST_SYSENTER_ESP 0x6824
#define VMCS_GUEST_SYSENTER_EIP 0x6826
#define VMCS_HOST_CR0 0x6C00
#define VMCS_HOST_CR3 0x6C02
#define VMCS_HOST_CR4 0x6C04
#define VMCS_HOST_FS_BASE 0x6C06
#define VMCS_HOST_GS_BASE 0x6C08
#define VMCS_HOST_TR_BASE 0x6C0A
#define VMCS_HOST_GDTR_BASE 0x6C0C
#define VMCS_HOST_IDTR_BASE 0x6C0E
#define VMCS_HOST_SYSENTER_ESP 0x6C10
#define VMCS_HOST_SYSENTER_EIP 0x6C12
#define VMCS_HOST_RSP 0x6C14 /* start.S writes it */
#define VMCS_HOST_RIP 0x6C16

/* Reads and writes of the current VMCS. One that fails is remembered. */
uint64_t vmcs_read(uint32_t field);
void vmcs_write(uint32_t field, uint64_t value);

/* The VM-instruction error of what just failed; valid: there is a current VMCS to hold it. */
uint64_t vmcs_error(bool valid);
#define VMCS_NO_ERROR UINT64_MAX

/* The first write that failed since this was last asked; VMCS_NO_FIELD for none. */
struct vmcs_failure {
    uint32_t field;
    uint64_t error;
};
struct vmcs_failure vmcs_failure(void);
#define VMCS_NO_FIELD UINT32_MAX

/* A 32-bit field of the guest's state with the last index that there can be: no CPU has it. */
#define VMCS_UNSUPPORTED 0x4BFE
