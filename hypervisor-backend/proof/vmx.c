/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmx.h"
#include "extension.h"
#include "pages.h"
#include "trap.h"
#include "vmcs.h"
#include "x86.h"

/* Basic exit reasons: SDM vol. 3D, appendix C. */
#define REASON_EXCEPTION_OR_NMI 0
#define REASON_EXTERNAL_INTERRUPT 1
#define REASON_CPUID 10
#define REASON_HLT 12
#define REASON_IO 30
#define REASON_EPT_VIOLATION 48
#define REASON_ENTRY_FAILURE (1u << 31)

#define VECTOR_PAGE_FAULT 14
#define INTERRUPTION_VALID (1u << 31)

/* Vol. 3C, 29.3.2 (read, write, execute; memory type) and 25.6.11 (EPTP: type, walk of four). */
#define EPT_RWX 7
#define EPT_LEAF_WB (6 << 3)
#define EPTP_WALK_4 (3 << 3)
#define EPT_VPID_WB (1u << 14)
#define EPTP_WB 6

/* With IF: the timer's exit does not depend on it, but Bochs thinks it does. */
#define RFLAGS_INNER 0x202
#define DR7_RESET 0x400

static uint8_t vmxon_region[4096] __attribute__((aligned(4096)));
static uint8_t vmcs[4096] __attribute__((aligned(4096)));
static bool launched;

static uint64_t read_lock(void)
{
    return x86_rdmsr(IA32_FEATURE_CONTROL);
}

/* Firmware that leaves the register open leaves it to the hypervisor. */
static bool is_locked(uint64_t lock)
{
    return (lock & FEATURE_CONTROL_LOCK) && !(lock & FEATURE_CONTROL_VMX_OUTSIDE_SMX);
}

static bool offers(enum pass pass)
{
    const struct vmx_capabilities *can = vmx_capabilities();
    static const uint32_t needed[N_PASSES] = {
        [PASS_NESTED] = PROC2_EPT, [PASS_REAL] = PROC2_EPT | PROC2_UNRESTRICTED_GUEST};
    return vmx_may(can->proc2, needed[pass]);
}

/* Vol. 3C, 31.2: CF says that there is no current VMCS to hold an error, ZF that it does. */
#define VMX_INSTRUCTION(name, operand, ret_cf, ret_zf) \
    __asm__ volatile(name " %2" : "=@ccc"(ret_cf), "=@ccz"(ret_zf) : "m"(operand) : "memory")

static ProofCode judge(const char *name, uint8_t cf, uint8_t zf, struct detail *detail)
{
    if (!cf && !zf)
        return PROOF_PROVED;
    *detail = (struct detail){.name = name, .error = vmcs_error(zf)};
    return PROOF_VM_FAIL;
}

/* Vol. 3C, 24.7 and 25.11.5. */
static ProofCode open(struct detail *detail)
{
    uint64_t lock = read_lock();
    if (!(lock & FEATURE_CONTROL_LOCK))
        x86_wrmsr(
            IA32_FEATURE_CONTROL, lock | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX);
    x86_write_cr0(
        (x86_read_cr0() | x86_rdmsr(IA32_VMX_CR0_FIXED0)) & x86_rdmsr(IA32_VMX_CR0_FIXED1));
    x86_write_cr4((x86_read_cr4() | CR4_VMXE | x86_rdmsr(IA32_VMX_CR4_FIXED0)) &
        x86_rdmsr(IA32_VMX_CR4_FIXED1));
    uint32_t revision = vmx_capabilities()->basic & 0x7fffffff;
    *(uint32_t *)(void *)vmxon_region = revision;
    *(uint32_t *)(void *)vmcs = revision;
    uint64_t address = x86_physical(vmxon_region);
    uint8_t cf, zf;
    VMX_INSTRUCTION("vmxon", address, cf, zf);
    detail->error = VMCS_NO_ERROR;
    detail->name = "vmxon";
    return cf || zf ? PROOF_VM_FAIL : PROOF_PROVED;
}

static ProofCode load_vmcs(struct detail *detail)
{
    uint64_t address = x86_physical(vmcs);
    uint8_t cf, zf;
    launched = false;
    VMX_INSTRUCTION("vmclear", address, cf, zf);
    ProofCode code = judge("vmclear", cf, zf, detail);
    if (code != PROOF_PROVED)
        return code;
    VMX_INSTRUCTION("vmptrld", address, cf, zf);
    return judge("vmptrld", cf, zf, detail);
}

/* Vol. 3D, A.3: bits that must be 1 are added. */
static uint32_t with_fixed(uint64_t capability, uint32_t wanted)
{
    return (uint32_t)capability | wanted;
}

static ProofCode check_controls(const struct vmx_capabilities *can, struct detail *detail)
{
    const struct {
        uint64_t capability;
        uint32_t bits;
        const char *name;
    } needed[] = {
        {can->pin, PIN_EXTERNAL_INTERRUPT_EXITING, "external-interrupt-exiting"},
        {can->proc, PROC_HLT_EXITING, "hlt-exiting"},
        {can->proc, PROC_UNCONDITIONAL_IO_EXITING, "unconditional-io-exiting"},
        {can->exit, EXIT_HOST_ADDRESS_SPACE_SIZE, "host-address-space-size"},
        {can->entry, ENTRY_IA32E_MODE_GUEST, "ia-32e-mode-guest"},
    };
    for (unsigned i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        detail->name = needed[i].name;
        if (!vmx_may(needed[i].capability, needed[i].bits))
            return PROOF_NO_CONTROL;
    }
    return PROOF_PROVED;
}

static void write_second_level(const struct vmx_capabilities *can, enum pass pass)
{
    uint32_t controls = 0;
    if (pass != PASS_SHADOW) {
        bool wb = can->ept_vpid & EPT_VPID_WB;
        uint64_t first = pages_map(EPT_RWX, EPT_RWX | (wb ? EPT_LEAF_WB : 0));
        vmcs_write(VMCS_EPT_POINTER, first | EPTP_WALK_4 | (wb ? EPTP_WB : 0));
        controls |= PROC2_EPT;
    }
    if (pass == PASS_REAL)
        controls |= PROC2_UNRESTRICTED_GUEST;
    if (vmx_may(can->proc2, PROC2_VPID)) {
        vmcs_write(VMCS_VIRTUAL_PROCESSOR_IDENTIFIER, (uint64_t)pass + 1);
        controls |= PROC2_VPID;
    }
    if (vmx_may(can->proc, PROC_SECONDARY_CONTROLS))
        vmcs_write(VMCS_SECONDARY_CONTROLS, with_fixed(can->proc2, controls));
}

/* Vol. 3C, 25.6 to 25.8. */
static void write_controls(const struct vmx_capabilities *can, enum pass pass)
{
    uint32_t proc = PROC_HLT_EXITING | PROC_UNCONDITIONAL_IO_EXITING;
    if (vmx_may(can->proc, PROC_SECONDARY_CONTROLS))
        proc |= PROC_SECONDARY_CONTROLS;
    vmcs_write(VMCS_PIN_BASED_CONTROLS, with_fixed(can->pin, PIN_EXTERNAL_INTERRUPT_EXITING));
    vmcs_write(VMCS_PROCESSOR_BASED_CONTROLS, with_fixed(can->proc, proc));
    vmcs_write(VMCS_EXIT_CONTROLS, with_fixed(can->exit, EXIT_HOST_ADDRESS_SPACE_SIZE));
    vmcs_write(VMCS_ENTRY_CONTROLS,
        with_fixed(can->entry, pass == PASS_REAL ? 0 : ENTRY_IA32E_MODE_GUEST));
    vmcs_write(VMCS_EXCEPTION_BITMAP, 1u << VECTOR_PAGE_FAULT);
    static const uint16_t zeroes[] = {VMCS_PAGE_FAULT_ERROR_CODE_MASK,
        VMCS_PAGE_FAULT_ERROR_CODE_MATCH, VMCS_CR3_TARGET_COUNT, VMCS_EXIT_MSR_STORE_COUNT,
        VMCS_EXIT_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_INTERRUPTION_INFORMATION,
        VMCS_CR0_GUEST_HOST_MASK, VMCS_CR4_GUEST_HOST_MASK, VMCS_CR0_READ_SHADOW,
        VMCS_CR4_READ_SHADOW};
    for (unsigned i = 0; i < sizeof zeroes / sizeof zeroes[0]; i++)
        vmcs_write(zeroes[i], 0);
    write_second_level(can, pass);
}

/* Vol. 3C, 25.5. FS, GS and LDTR are not in use. */
static void write_host(void)
{
    vmcs_write(VMCS_HOST_CR0, x86_read_cr0());
    vmcs_write(VMCS_HOST_CR3, x86_read_cr3());
    vmcs_write(VMCS_HOST_CR4, x86_read_cr4());
    for (unsigned i = ES; i <= GS; i++)
        vmcs_write(VMCS_HOST_SELECTOR(i), i == CS ? START_CODE : i < FS ? START_DATA : 0);
    vmcs_write(VMCS_HOST_TR_SELECTOR, START_TSS);
    vmcs_write(VMCS_HOST_FS_BASE, 0);
    vmcs_write(VMCS_HOST_GS_BASE, 0);
    vmcs_write(VMCS_HOST_TR_BASE, x86_physical(trap_tss));
    vmcs_write(VMCS_HOST_GDTR_BASE, x86_physical(start_gdt));
    vmcs_write(VMCS_HOST_IDTR_BASE, trap_table());
    vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
    vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
    vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
    vmcs_write(VMCS_HOST_RIP, x86_physical(vmx_exit));
}

/* Vol. 3C, 27.3.1.1: unrestricted, PE and PG need not be as CR0_FIXED0 says. */
static void write_guest_control_registers(bool real)
{
    uint64_t cr0 = x86_read_cr0();
    vmcs_write(VMCS_GUEST_CR0, real ? cr0 & ~(uint64_t)(CR0_PE | CR0_PG) : cr0);
    vmcs_write(VMCS_GUEST_CR3, real ? 0 : x86_read_cr3());
    vmcs_write(VMCS_GUEST_CR4, real ? x86_rdmsr(IA32_VMX_CR4_FIXED0) : x86_read_cr4());
    vmcs_write(VMCS_GUEST_DR7, DR7_RESET);
}

/* Vol. 3C, 25.4 and 27.3.1. Its IDT has no entries: an exception is a triple fault. */
static void write_guest(const struct entry *entry)
{
    struct segment segments[N_SEGMENTS];
    extension_segments(entry->pass, segments);
    for (unsigned i = 0; i < N_SEGMENTS; i++) {
        bool used = i < FS || i == TR || entry->pass == PASS_REAL;
        vmcs_write(VMCS_GUEST_SELECTOR(i), used ? segments[i].selector : 0);
        vmcs_write(VMCS_GUEST_LIMIT(i), segments[i].limit);
        vmcs_write(VMCS_GUEST_ACCESS_RIGHTS(i), used ? segments[i].rights : SEGMENT_UNUSABLE);
        vmcs_write(VMCS_GUEST_BASE(i), segments[i].base);
    }
    write_guest_control_registers(entry->pass == PASS_REAL);
    vmcs_write(VMCS_GUEST_GDTR_BASE, x86_physical(start_gdt));
    vmcs_write(VMCS_GUEST_GDTR_LIMIT, sizeof start_gdt - 1);
    static const uint16_t zeroes[] = {VMCS_GUEST_IDTR_BASE, VMCS_GUEST_IDTR_LIMIT,
        VMCS_GUEST_DEBUGCTL, VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_ACTIVITY,
        VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_EIP,
        VMCS_GUEST_PENDING_DEBUG};
    for (unsigned i = 0; i < sizeof zeroes / sizeof zeroes[0]; i++)
        vmcs_write(zeroes[i], 0);
    vmcs_write(VMCS_LINK_POINTER, UINT64_MAX);
    vmcs_write(VMCS_GUEST_RFLAGS, entry->try == TRY_STATE ? 0 : RFLAGS_INNER);
    vmcs_write(VMCS_GUEST_RSP, entry->rsp);
    vmcs_write(VMCS_GUEST_RIP, entry->rip);
}

static ProofCode prepare(const struct entry *entry, struct detail *detail)
{
    const struct vmx_capabilities *can = vmx_capabilities();
    ProofCode code = check_controls(can, detail);
    if (code == PROOF_PROVED)
        code = load_vmcs(detail);
    if (code != PROOF_PROVED)
        return code;
    launched = entry->try == TRY_FAIL; /* VMRESUME comes too early then */
    write_controls(can, entry->pass);
    write_host();
    write_guest(entry);
    if (entry->try == TRY_WRITE)
        vmcs_write(VMCS_UNSUPPORTED, 0);
    struct vmcs_failure failure = vmcs_failure();
    if (failure.field == VMCS_NO_FIELD)
        return PROOF_PROVED;
    *detail = (struct detail){failure.error, "vmwrite", true, failure.field};
    return PROOF_VM_FAIL;
}

static enum exit_kind kind_of(uint64_t reason)
{
    static const struct {
        uint16_t reason;
        enum exit_kind kind;
    } kinds[] = {{REASON_CPUID, EXIT_CPUID}, {REASON_IO, EXIT_IO}, {REASON_HLT, EXIT_HLT},
        {REASON_EPT_VIOLATION, EXIT_NESTED_FAULT}, {REASON_EXTERNAL_INTERRUPT, EXIT_TICK}};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (reason == kinds[i].reason)
            return kinds[i].kind;
    }
    if (reason != REASON_EXCEPTION_OR_NMI)
        return EXIT_OTHER;
    uint64_t information = vmcs_read(VMCS_EXIT_INTERRUPTION_INFORMATION);
    bool page_fault =
        (information & INTERRUPTION_VALID) && (information & 0xff) == VECTOR_PAGE_FAULT;
    return page_fault ? EXIT_PAGE_FAULT : EXIT_OTHER;
}

static ProofCode enter(struct registers *registers, struct exit *exit, struct detail *detail)
{
    unsigned failed = vmx_enter(registers, launched);
    if (failed != 0)
        return judge(launched ? "vmresume" : "vmlaunch", failed == 1, failed == 2, detail);
    exit->reason = vmcs_read(VMCS_EXIT_REASON);
    exit->info = 0;
    if (exit->reason & REASON_ENTRY_FAILURE) {
        exit->info = vmcs_read(VMCS_EXIT_QUALIFICATION);
        return PROOF_ENTRY_FAILED;
    }
    launched = true;
    exit->kind = kind_of(exit->reason);
    if (exit->kind == EXIT_IO || exit->kind == EXIT_OTHER)
        exit->info = vmcs_read(VMCS_EXIT_QUALIFICATION);
    return PROOF_PROVED;
}

static void resume_at(uint64_t rip)
{
    vmcs_write(VMCS_GUEST_RIP, rip);
}

const struct extension vmx_extension = {"vmx", IA32_FEATURE_CONTROL, read_lock, is_locked,
    vmx_capabilities_report, offers, open, prepare, enter, resume_at};
