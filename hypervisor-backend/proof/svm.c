/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "extension.h"
#include "pages.h"
#include "vmcb.h"
#include "x86.h"

/* AMD-V, SVM: names and numbers of APM vol. 2 (revision 3.40). */

/* 15.30 and 3.1.7 */
#define MSR_EFER 0xC0000080
#define EFER_SVME (1u << 12)
#define MSR_VM_CR 0xC0010114
#define VM_CR_SVMDIS (1u << 4)
#define MSR_VM_HSAVE_PA 0xC0010117

#define CPUID_SVM 0x8000000A
#define SVM_NP 0 /* bit of EDX */

/* 15.25.6: nested tables are walked as by user code. Present, writable, user. */
#define PAGE_USER 7

#define CR0_REAL CR0_ET
#define RFLAGS_RESERVED 2
#define DR6_RESET 0xffff0ff0
#define DR7_RESET 0x400
#define PAT_RESET 0x0007040600070406ull
#define VECTOR_PAGE_FAULT 14

static struct vmcb vmcb __attribute__((aligned(4096)));
static uint8_t host_save_area[4096] __attribute__((aligned(4096)));
/* 15.10.1: a bit for each port, and the first three bits of one page more. */
static uint8_t io_permissions[3 * 4096] __attribute__((aligned(4096)));

/* 15.4 and E.4.9 of vol. 3 */
static const struct {
    const char *name;
    uint8_t bit;
} rows[] = {
    {"npt", SVM_NP},
    {"lbr-virtualization", 1},
    {"svm-lock", 2},
    {"nrip-save", 3},
    {"tsc-rate", 4},
    {"vmcb-clean", 5},
    {"flush-by-asid", 6},
    {"decode-assists", 7},
    {"pause-filter", 10},
    {"pause-filter-threshold", 12},
    {"avic", 13},
    {"virtual-vmload-vmsave", 15},
    {"vgif", 16},
    {"guest-mode-execute", 17},
    {"x2avic", 18},
    {"supervisor-shadow-stack", 19},
    {"spec-ctrl", 20},
    {"vnmi", 25},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static uint32_t features;

static const char *name(unsigned i)
{
    return rows[i].name;
}

static bool has(unsigned i)
{
    return features >> rows[i].bit & 1;
}

static void report_capabilities(void)
{
    features = x86_cpuid(CPUID_SVM).edx;
    extension_report_list("present", true, N_ROWS, name, has);
    extension_report_list("absent", false, N_ROWS, name, has);
}

static uint64_t read_lock(void)
{
    return x86_rdmsr(MSR_VM_CR);
}

/* 15.4: hypervisors take the bit for a no, whether or not a key would open it. */
static bool is_locked(uint64_t lock)
{
    return lock & VM_CR_SVMDIS;
}

static bool offers(enum pass pass)
{
    return pass == PASS_SHADOW || (features >> SVM_NP & 1);
}

static ProofCode open(struct detail *detail)
{
    detail->name = "efer";
    detail->error = 0;
    x86_wrmsr(MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_SVME);
    x86_wrmsr(MSR_VM_HSAVE_PA, x86_physical(host_save_area));
    for (unsigned i = 0; i < sizeof io_permissions; i++)
        io_permissions[i] = 0xff;
    return x86_rdmsr(MSR_EFER) & EFER_SVME ? PROOF_PROVED : PROOF_VM_FAIL;
}

static void write_controls(enum pass pass, bool invalid)
{
    vmcb.intercept_exceptions = 1u << VECTOR_PAGE_FAULT;
    vmcb.intercept_3 = VMCB_INTERCEPT_INTR | VMCB_INTERCEPT_CPUID | VMCB_INTERCEPT_HLT |
        VMCB_INTERCEPT_IOIO | VMCB_INTERCEPT_SHUTDOWN;
    vmcb.intercept_4 = VMCB_INTERCEPT_VMRUN;
    vmcb.iopm_base_pa = x86_physical(io_permissions);
    vmcb.guest_asid = !invalid; /* none may be 0 */
    vmcb.tlb_control = VMCB_TLB_FLUSH_ALL;
    vmcb.v_intr = VMCB_V_INTR_MASKING;
    if (pass != PASS_SHADOW) {
        vmcb.np_enable = 1;
        vmcb.n_cr3 = pages_map(PAGE_USER, PAGE_USER);
    }
}

/* 15.5.1. FS, GS, TR and LDTR stay the outer program's: only VMLOAD would change them. */
static void write_state(const struct entry *entry)
{
    bool real = entry->pass == PASS_REAL;
    struct segment segments[N_SEGMENTS];
    extension_segments(entry->pass, segments);
    for (unsigned i = ES; i <= DS; i++) {
        vmcb.segments[i] = (struct vmcb_segment){.selector = segments[i].selector,
            .attributes =
                (uint16_t)((segments[i].rights & 0xff) | (segments[i].rights >> 4 & 0xf00)),
            .limit = segments[i].limit,
            .base = segments[i].base};
    }
    vmcb.gdtr =
        (struct vmcb_segment){.limit = sizeof start_gdt - 1, .base = x86_physical(start_gdt)};
    vmcb.efer = real ? EFER_SVME : x86_rdmsr(MSR_EFER);
    vmcb.cr0 = real ? CR0_REAL : x86_read_cr0();
    vmcb.cr3 = real ? 0 : x86_read_cr3();
    vmcb.cr4 = real ? 0 : x86_read_cr4();
    vmcb.dr6 = DR6_RESET;
    vmcb.dr7 = DR7_RESET;
    vmcb.g_pat = PAT_RESET;
    vmcb.rflags = RFLAGS_RESERVED;
    vmcb.rip = entry->rip;
    vmcb.rsp = entry->rsp;
}

static ProofCode prepare(const struct entry *entry, struct detail *detail)
{
    (void)detail;
    vmcb = (struct vmcb){0};
    write_controls(entry->pass, entry->try == TRY_STATE);
    write_state(entry);
    return PROOF_PROVED;
}

static enum exit_kind kind_of(uint64_t code)
{
    static const struct {
        uint16_t code;
        enum exit_kind kind;
    } kinds[] = {{VMEXIT_CPUID, EXIT_CPUID}, {VMEXIT_IOIO, EXIT_IO}, {VMEXIT_HLT, EXIT_HLT},
        {VMEXIT_EXCEPTION + VECTOR_PAGE_FAULT, EXIT_PAGE_FAULT}, {VMEXIT_NPF, EXIT_NESTED_FAULT},
        {VMEXIT_INTR, EXIT_TICK}};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (code == kinds[i].code)
            return kinds[i].kind;
    }
    return EXIT_OTHER;
}

static ProofCode enter(struct registers *registers, struct exit *exit, struct detail *detail)
{
    (void)detail;
    vmcb.rax = registers->rax;
    svm_enter(registers, x86_physical(&vmcb));
    registers->rax = vmcb.rax;
    vmcb.tlb_control = 0;
    exit->reason = vmcb.exitcode;
    exit->info = vmcb.exitinfo1;
    exit->kind = kind_of(exit->reason);
    return (uint32_t)exit->reason == VMEXIT_INVALID ? PROOF_ENTRY_FAILED : PROOF_PROVED;
}

static void resume_at(uint64_t rip)
{
    vmcb.rip = rip;
}

const struct extension svm_extension = {"svm", MSR_VM_CR, read_lock, is_locked, report_capabilities,
    offers, open, prepare, enter, resume_at};
