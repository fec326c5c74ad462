/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"
#include "options.h"
#include "pass.h"
#include "report.h"
#include "trap.h"
#include "x86.h"

/* CPUID: SDM vol. 2A; APM vol. 3, appendix E. */
#define CPUID_1_ECX_VMX (1u << 5)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_80000001_ECX_SVM (1u << 2)
#define CPUID_HYPERVISOR 0x40000000

_Noreturn void proof_main(void);

static const struct extension *find_extension(void)
{
    if (x86_cpuid(1).ecx & CPUID_1_ECX_VMX)
        return &vmx_extension;
    if (x86_cpuid(0x80000001).ecx & CPUID_80000001_ECX_SVM)
        return &svm_extension;
    return NULL;
}

static void report_signature(const char *key, uint32_t first, uint32_t second, uint32_t third)
{
    uint32_t words[3] = {first, second, third};
    report_bytes(key, (const char *)words, sizeof words);
}

/* Family and model: with the extended fields, as both vendors add them up. */
static void report_cpu(const struct extension *extension)
{
    struct x86_cpuid vendor = x86_cpuid(0), identity = x86_cpuid(1);
    uint32_t family = identity.eax >> 8 & 15, model = identity.eax >> 4 & 15;
    if (family == 6 || family == 15)
        model += identity.eax >> 12 & 0xf0;
    if (family == 15)
        family += identity.eax >> 20 & 0xff;
    report_begin("cpu");
    report_signature("vendor", vendor.ebx, vendor.edx, vendor.ecx);
    report_word("extension", extension != NULL ? extension->name : "none");
    if (identity.ecx & CPUID_1_ECX_HYPERVISOR) {
        struct x86_cpuid hypervisor = x86_cpuid(CPUID_HYPERVISOR);
        report_signature("hypervisor", hypervisor.ebx, hypervisor.ecx, hypervisor.edx);
    }
    report_number("family", family);
    report_number("model", model);
    report_number("stepping", identity.eax & 15);
    report_end();
}

static bool report_lock(const struct extension *extension)
{
    uint64_t lock = extension->read_lock();
    bool locked = extension->is_locked(lock);
    report_begin("lock");
    report_hex("register", extension->lock_register);
    report_hex("value", lock);
    report_number("locked", locked);
    report_end();
    return locked;
}

static void report_rest(const struct extension *extension)
{
    report_begin("capabilities");
    report_word("extension", extension->name);
    extension->report_capabilities();
    report_end();
    report_begin("clock");
    report_number("tsc-khz", machine_tsc_khz());
    report_end();
}

static void begin_end(ProofCode code)
{
    report_begin("end");
    report_word("code", report_code(code));
    report_number("lines", report_lines() + 1);
}

static void report_detail(const struct detail *detail)
{
    if (detail->name != NULL)
        report_word("name", detail->name);
    if (detail->has_field)
        report_hex("field", detail->field);
    if (detail->error == UINT64_MAX)
        report_word("error", "invalid");
    else
        report_number("error", detail->error);
}

static void end_with(enum pass pass, const struct pass_result *result)
{
    begin_end(result->code);
    report_word("pass", pass_name(pass));
    if (result->code == PROOF_VM_FAIL || result->code == PROOF_NO_CONTROL)
        report_detail(&result->detail);
    if (result->code == PROOF_WRONG_EXIT || result->code == PROOF_ENTRY_FAILED) {
        report_hex("reason", result->exit.reason);
        report_hex("info", result->exit.info);
        report_word("expected", pass_kind_name(result->expected));
    }
    report_end();
}

/* All passes that the CPU offers; the first that fails decides. */
static void run_passes(const struct extension *extension, const struct options *options)
{
    struct pass_result results[N_PASSES];
    enum pass failed = N_PASSES;
    for (enum pass pass = 0; pass < N_PASSES; pass++) {
        if (!extension->offers(pass)) {
            report_begin("pass");
            report_word("name", pass_name(pass));
            report_word("result", "absent");
            report_end();
            continue;
        }
        pass_run(extension, pass, options, &results[pass]);
        pass_report(pass, &results[pass]);
        if (failed == N_PASSES && results[pass].code != PROOF_PROVED)
            failed = pass;
    }
    if (failed != N_PASSES) {
        end_with(failed, &results[failed]);
        return;
    }
    begin_end(PROOF_PROVED);
    report_end();
}

static ProofCode prepare(const struct extension *extension, struct detail *detail)
{
    if (extension == NULL)
        return PROOF_NOT_SUPPORTED;
    bool locked = report_lock(extension);
    report_rest(extension);
    return locked ? PROOF_LOCKED : extension->open(detail);
}

_Noreturn void proof_main(void)
{
    struct options options = options_read();
    struct detail detail = {0};
    report_open();
    report_begin("begin");
    report_hex("seed", options.seed);
    report_end();
    trap_open();
    if (options.try == TRY_FAULT)
        __asm__ volatile("ud2");
    const struct extension *extension = find_extension();
    report_cpu(extension);
    ProofCode code = prepare(extension, &detail);
    if (code == PROOF_PROVED) {
        run_passes(extension, &options);
    } else {
        begin_end(code);
        if (code == PROOF_VM_FAIL)
            report_detail(&detail);
        report_end();
    }
    report_flush();
    machine_off();
}
