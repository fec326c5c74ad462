/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* The virtual machine control block: APM vol. 2, appendix B; exit codes: appendix C. */

#define VMCB_INTERCEPT_INTR (1u << 0) /* 00Ch */
#define VMCB_INTERCEPT_CPUID (1u << 18)
#define VMCB_INTERCEPT_HLT (1u << 24)
#define VMCB_INTERCEPT_IOIO (1u << 27)
#define VMCB_INTERCEPT_SHUTDOWN (1u << 31)
#define VMCB_INTERCEPT_VMRUN (1u << 0) /* 010h */
#define VMCB_TLB_FLUSH_ALL 1
#define VMCB_V_INTR_MASKING (1u << 24)

#define VMEXIT_EXCEPTION 0x40
#define VMEXIT_INTR 0x60
#define VMEXIT_CPUID 0x72
#define VMEXIT_HLT 0x78
#define VMEXIT_IOIO 0x7B
#define VMEXIT_NPF 0x400
#define VMEXIT_INVALID UINT32_MAX /* the low half: some leave the high one alone */

struct vmcb_segment {
    uint16_t selector, attributes;
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint32_t intercept_cr, intercept_dr, intercept_exceptions, intercept_3, intercept_4;
    uint8_t reserved_014[0x040 - 0x014];
    uint64_t iopm_base_pa, msrpm_base_pa, tsc_offset;
    uint32_t guest_asid, tlb_control;
    uint64_t v_intr, interrupt_shadow, exitcode, exitinfo1, exitinfo2, exitintinfo, np_enable;
    uint8_t reserved_098[0x0A8 - 0x098];
    uint64_t eventinj, n_cr3, lbr_enable;
    uint32_t clean, reserved_0c4;
    uint64_t nrip;
    uint8_t reserved_0d0[0x400 - 0x0D0];
    struct vmcb_segment segments[6], gdtr, ldtr, idtr, tr;
    uint8_t reserved_4a0[0x4CB - 0x4A0];
    uint8_t cpl;
    uint32_t reserved_4cc;
    uint64_t efer;
    uint8_t reserved_4d8[0x548 - 0x4D8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved_580[0x5D8 - 0x580];
    uint64_t rsp, s_cet, ssp, isst_addr, rax;
    uint8_t reserved_600[0x640 - 0x600];
    uint64_t cr2;
    uint8_t reserved_648[0x668 - 0x648];
    uint64_t g_pat;
    uint8_t reserved_670[0x1000 - 0x670];
};

static_assert(offsetof(struct vmcb, exitcode) == 0x070, "APM vol. 2, table B-1");
static_assert(offsetof(struct vmcb, n_cr3) == 0x0B0, "table B-1");
static_assert(offsetof(struct vmcb, nrip) == 0x0C8, "table B-1");
static_assert(offsetof(struct vmcb, segments) == 0x400, "table B-2");
static_assert(offsetof(struct vmcb, efer) == 0x4D0, "table B-2");
static_assert(offsetof(struct vmcb, rip) == 0x578, "table B-2");
static_assert(offsetof(struct vmcb, rax) == 0x5F8, "table B-2");
static_assert(offsetof(struct vmcb, g_pat) == 0x668, "table B-2");
static_assert(sizeof(struct vmcb) == 4096, "a page");
