/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Intel VT-x: names and numbers of SDM vol. 3C and 3D (edition of 2023). */

/* ---- MSRs: vol. 3D, appendix A ---- */
#define IA32_FEATURE_CONTROL 0x3A
#define FEATURE_CONTROL_LOCK (1u << 0)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX (1u << 2)
#define IA32_VMX_BASIC 0x480
#define VMX_BASIC_TRUE_CONTROLS (1ull << 55)
#define IA32_VMX_PINBASED_CTLS 0x481
#define IA32_VMX_PROCBASED_CTLS 0x482
#define IA32_VMX_EXIT_CTLS 0x483
#define IA32_VMX_ENTRY_CTLS 0x484
#define IA32_VMX_CR0_FIXED0 0x486
#define IA32_VMX_CR0_FIXED1 0x487
#define IA32_VMX_CR4_FIXED0 0x488
#define IA32_VMX_CR4_FIXED1 0x489
#define IA32_VMX_PROCBASED_CTLS2 0x48B
#define IA32_VMX_EPT_VPID_CAP 0x48C
/* What must be added to the number of a control MSR for its IA32_VMX_TRUE_… */
#define IA32_VMX_TRUE 0x0C

/* ---- controls: vol. 3C, 25.6 to 25.8 ---- */
#define PIN_EXTERNAL_INTERRUPT_EXITING (1u << 0)
#define PROC_HLT_EXITING (1u << 7)
#define PROC_UNCONDITIONAL_IO_EXITING (1u << 24)
#define PROC_SECONDARY_CONTROLS (1u << 31)
#define PROC2_EPT (1u << 1)
#define PROC2_VPID (1u << 5)
#define PROC2_UNRESTRICTED_GUEST (1u << 7)
#define EXIT_HOST_ADDRESS_SPACE_SIZE (1u << 9)
#define ENTRY_IA32E_MODE_GUEST (1u << 9)

/* ---- capabilities, and what they say together ---- */
struct vmx_capabilities {
    uint64_t basic;
    /* Each MSR of controls: what must be 1 in the low half, what may be 1 in the high one. */
    uint64_t pin, proc, proc2, exit, entry;
    uint64_t ept_vpid;
};

/* Read once, from MSRs that exist wherever CPUID shows VMX. */
const struct vmx_capabilities *vmx_capabilities(void);
void vmx_capabilities_report(void);
static inline bool vmx_may(uint64_t control, uint32_t bits)
{
    return (~(control >> 32) & bits) == 0;
}
