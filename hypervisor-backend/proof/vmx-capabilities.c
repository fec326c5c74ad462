/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "extension.h"
#include "report.h"
#include "vmx.h"
#include "x86.h"

static struct vmx_capabilities capabilities;

/* Vol. 3C, 25.6.1 to 25.6.3, and 3D, A.10. */
static const struct {
    const char *name;
    const uint64_t *source;
    uint8_t bit;
} rows[] = {
    {"preemption-timer", &capabilities.pin, 32 + 6},
    {"posted-interrupts", &capabilities.pin, 32 + 7},
    {"virtual-nmi", &capabilities.pin, 32 + 5},
    {"tpr-shadow", &capabilities.proc, 32 + 21},
    {"msr-bitmaps", &capabilities.proc, 32 + 28},
    {"io-bitmaps", &capabilities.proc, 32 + 25},
    {"virtualize-apic-accesses", &capabilities.proc2, 32 + 0},
    {"ept", &capabilities.proc2, 32 + 1},
    {"virtualize-x2apic", &capabilities.proc2, 32 + 4},
    {"vpid", &capabilities.proc2, 32 + 5},
    {"unrestricted-guest", &capabilities.proc2, 32 + 7},
    {"apic-register-virtualization", &capabilities.proc2, 32 + 8},
    {"virtual-interrupt-delivery", &capabilities.proc2, 32 + 9},
    {"pause-loop-exiting", &capabilities.proc2, 32 + 10},
    {"invpcid", &capabilities.proc2, 32 + 12},
    {"vmfunc", &capabilities.proc2, 32 + 13},
    {"vmcs-shadowing", &capabilities.proc2, 32 + 14},
    {"page-modification-log", &capabilities.proc2, 32 + 17},
    {"xsaves", &capabilities.proc2, 32 + 20},
    {"mode-based-execute", &capabilities.proc2, 32 + 22},
    {"tsc-scaling", &capabilities.proc2, 32 + 25},
    {"ept-execute-only", &capabilities.ept_vpid, 0},
    {"ept-2m", &capabilities.ept_vpid, 16},
    {"ept-1g", &capabilities.ept_vpid, 17},
    {"ept-accessed-dirty", &capabilities.ept_vpid, 21},
    {"invept", &capabilities.ept_vpid, 20},
    {"invvpid", &capabilities.ept_vpid, 32},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

/* A.3.1 and what follows: the TRUE register tells more, where there is one. */
static uint64_t read_controls(uint32_t msr)
{
    return x86_rdmsr(capabilities.basic & VMX_BASIC_TRUE_CONTROLS ? msr + IA32_VMX_TRUE : msr);
}

const struct vmx_capabilities *vmx_capabilities(void)
{
    if (capabilities.basic != 0)
        return &capabilities;
    capabilities.basic = x86_rdmsr(IA32_VMX_BASIC);
    capabilities.pin = read_controls(IA32_VMX_PINBASED_CTLS);
    capabilities.proc = read_controls(IA32_VMX_PROCBASED_CTLS);
    capabilities.exit = read_controls(IA32_VMX_EXIT_CTLS);
    capabilities.entry = read_controls(IA32_VMX_ENTRY_CTLS);
    if (vmx_may(capabilities.proc, PROC_SECONDARY_CONTROLS))
        capabilities.proc2 = x86_rdmsr(IA32_VMX_PROCBASED_CTLS2);
    if (vmx_may(capabilities.proc2, PROC2_EPT) || vmx_may(capabilities.proc2, PROC2_VPID))
        capabilities.ept_vpid = x86_rdmsr(IA32_VMX_EPT_VPID_CAP);
    return &capabilities;
}

static const char *name(unsigned i)
{
    return rows[i].name;
}

static bool has(unsigned i)
{
    return *rows[i].source >> rows[i].bit & 1;
}

void vmx_capabilities_report(void)
{
    vmx_capabilities();
    extension_report_list("present", true, N_ROWS, name, has);
    extension_report_list("absent", false, N_ROWS, name, has);
}
