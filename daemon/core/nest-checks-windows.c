/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-version.h"
#include <string.h>

/* What Windows, and Hyper-V in it, need of a definition: whether a VM runs Windows is known from
 * what libosinfo noted in it, or from the enlightenments of Hyper-V that it has. */

static const NestDomainHyperv *hyperv_of(const NestVmView *view)
{
    return &view->domain->extras.hyperv;
}

/* FALSE, and the verdict is said, where the guest is no Windows on KVM. */
static gboolean is_windows(const NestVmView *view, NestCheck *check)
{
    const NestDomainHyperv *hyperv = hyperv_of(view);
    nest_check_read(check, "definition, operating system: %s",
        hyperv->os != NULL    ? hyperv->os
            : hyperv->windows ? "not noted, but it has enlightenments of Hyper-V"
                              : "not noted, and no enlightenment of Hyper-V");
    if (!hyperv->windows) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It is not known to run Windows.");
        return FALSE;
    }
    if (view->domain->accel == NEST_ACCEL_KVM)
        return TRUE;
    nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
        "QEMU's software CPU has none of Hyper-V's enlightenments.");
    return FALSE;
}

/* FALSE, and the verdict is said, where it is not known whose CPU the host has. */
static gboolean is_host_known(const NestVmView *view, NestCheck *check)
{
    if (view->host != NULL && (view->host->vmx || view->host->svm))
        return TRUE;
    nest_check_say(
        check, NEST_VERDICT_UNKNOWN, "Whether the host is Intel or AMD could not be read.");
    return FALSE;
}

static const NestHypervFeature profile[] = {NEST_HYPERV_RELAXED, NEST_HYPERV_VAPIC,
    NEST_HYPERV_SPINLOCKS, NEST_HYPERV_VPINDEX, NEST_HYPERV_RUNTIME, NEST_HYPERV_SYNIC,
    NEST_HYPERV_STIMER, NEST_HYPERV_STIMER_DIRECT, NEST_HYPERV_FREQUENCIES,
    NEST_HYPERV_REENLIGHTENMENT, NEST_HYPERV_TLBFLUSH, NEST_HYPERV_IPI, NEST_HYPERV_CLOCK};

static void check_profile(const NestVmView *view, NestCheck *check)
{
    g_autoptr(GString) missing = g_string_new(NULL);
    if (!is_windows(view, check))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(profile); i++)
        if (!nest_domain_hyperv_has(hyperv_of(view), profile[i]))
            g_string_append_printf(
                missing, "%s%s", missing->len > 0 ? ", " : "", nest_domain_hyperv_name(profile[i]));
    nest_check_read(
        check, "definition, hyperv: %s", missing->len > 0 ? missing->str : "nothing is missing");
    if (missing->len == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "It has what Hyper-V in a VM needs.");
        return;
    }
    nest_check_fix(
        check, "virsh edit %s: add to hyperv in features: %s", view->facts->name, missing->str);
    nest_check_say(check, NEST_VERDICT_WARN, "%s",
        nest_domain_hyperv_has(hyperv_of(view), NEST_HYPERV_STIMER_DIRECT)
            ? "Enlightenments of Hyper-V are missing: Windows, and VMs in it, are slow."
            : "Hyper-V in a VM can use no timer but stimer direct, and it is missing.");
}

static void check_evmcs(const NestVmView *view, NestCheck *check)
{
    if (!is_windows(view, check) || !is_host_known(view, check))
        return;
    gboolean on = nest_domain_hyperv_has(hyperv_of(view), NEST_HYPERV_EVMCS);
    gboolean named = (hyperv_of(view)->on & (1u << NEST_HYPERV_EVMCS)) != 0;
    nest_check_read(check, "definition, hyperv evmcs: %s; host: %s", on ? "on" : "off",
        view->host->vmx ? "Intel" : "AMD");
    if (view->host->vmx && on && !nest_domain_hyperv_has(hyperv_of(view), NEST_HYPERV_VAPIC)) {
        nest_check_fix(check, "virsh edit %s: add vapic to hyperv", view->facts->name);
        nest_check_say(
            check, NEST_VERDICT_FAIL, "The enlightened VMCS needs vapic: it would not start.");
    } else if (view->host->vmx && !on) {
        nest_check_fix(check,
            "virsh edit %s: add evmcs to hyperv, and measure: it takes posted interrupts away",
            view->facts->name);
        nest_check_say(check, NEST_VERDICT_WARN,
            "It has no enlightened VMCS: each exit of an inner VM costs many more.");
    } else if (!view->host->vmx && named) {
        nest_check_fix(check, "virsh edit %s: take evmcs out of hyperv", view->facts->name);
        nest_check_say(check, NEST_VERDICT_FAIL,
            "It asks for the enlightened VMCS, which is Intel's: it would not start.");
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "%s",
            view->host->vmx ? "It has the enlightened VMCS." : "AMD needs no enlightened VMCS.");
    }
}

/* FALSE, and the verdict is said, where the enlightened VMCS is not in use. */
static gboolean uses_evmcs(const NestVmView *view, NestCheck *check)
{
    if (!is_host_known(view, check))
        return FALSE;
    if (view->host->vmx && nest_domain_hyperv_has(hyperv_of(view), NEST_HYPERV_EVMCS))
        return TRUE;
    nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It has no enlightened VMCS.");
    return FALSE;
}

static void check_evmcs_kernel(const NestVmView *view, NestCheck *check)
{
    if (!is_windows(view, check) || !uses_evmcs(view, check))
        return;
    guint version = nest_version_number(view->host->kernel);
    gboolean inexact = view->advice != NULL && !view->advice->kernel->exact;
    nest_check_read(check, "kernel: %s", nest_check_or_unread(view->host->kernel));
    if (version == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The version of the kernel can't be told.");
    } else if (version < NEST_VERSION_NUMBER(5, 15) && !inexact) {
        nest_check_fix(check, "use kernel 5.15 or later, or take evmcs out of hyperv");
        nest_check_say(check, NEST_VERDICT_WARN,
            "Windows Server 2022 and Windows 11 with Hyper-V may not boot with the enlightened "
            "VMCS of kernel %s.",
            view->host->kernel);
    } else if (version < NEST_VERSION_NUMBER(5, 15)) {
        nest_check_fix(
            check, "ask the distribution whether its kernel has Linux commit 8d68bad6d869");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Kernel %s is older than 5.15 by its number, which its distribution does not raise "
            "when it mends.",
            view->host->kernel);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "The kernel is recent enough for it.");
    }
}

static void check_emsr(const NestVmView *view, NestCheck *check)
{
    static const NestHypervFeature wanted[] = {
        NEST_HYPERV_EMSR_BITMAP, NEST_HYPERV_TLBFLUSH_DIRECT};
    static const guint since[] = {NEST_VERSION_NUMBER(10, 7), NEST_VERSION_NUMBER(11, 0)};
    if (!is_windows(view, check) || !is_host_known(view, check))
        return;
    if (view->host->vmx && !uses_evmcs(view, check))
        return;
    const char *text = view->caps != NULL ? view->caps->libvirt_version : NULL;
    guint libvirt = nest_version_number(text);
    g_autoptr(GString) missing = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (!nest_domain_hyperv_has(hyperv_of(view), wanted[i]) && libvirt >= since[i])
            g_string_append_printf(missing, "%s%s", missing->len > 0 ? " and " : "",
                nest_domain_hyperv_name(wanted[i]));
    nest_check_read(check, "definition, hyperv: %s; libvirt %s",
        missing->len > 0 ? missing->str : "nothing is missing", nest_check_or_unread(text));
    if (missing->len > 0) {
        nest_check_fix(check, "virsh edit %s: add %s to hyperv", view->facts->name, missing->str);
        nest_check_say(check, NEST_VERDICT_INFO,
            "%s would save exits of inner VMs, and %s not there.", missing->str,
            strchr(missing->str, ' ') != NULL ? "are" : "is");
    } else if (libvirt == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The version of libvirt can't be told.");
    } else if (libvirt < since[0]) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "libvirt knows emsr_bitmap since 10.7 and tlbflush direct since 11.0.");
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "It has what this libvirt knows to save exits.");
    }
}

static void check_passthrough(const NestVmView *view, NestCheck *check)
{
    if (!is_windows(view, check))
        return;
    gboolean passthrough = hyperv_of(view)->passthrough;
    nest_check_read(
        check, "definition, hyperv mode: %s", passthrough ? "passthrough" : "not passthrough");
    if (passthrough)
        nest_check_fix(check, "virsh edit %s: name the enlightenments, or mode='host-model'",
            view->facts->name);
    nest_check_say(check, passthrough ? NEST_VERDICT_WARN : NEST_VERDICT_PASS, "%s",
        passthrough ? "It gets whatever enlightenments the host has: it can't be saved or moved."
                    : "Its enlightenments are named.");
}

static void check_debug(const NestVmView *view, NestCheck *check)
{
    if (!is_windows(view, check))
        return;
    const char *debug = hyperv_of(view)->debug;
    nest_check_read(check, "definition, for debugging: %s", debug != NULL ? debug : "nothing");
    if (debug != NULL)
        nest_check_fix(check, "virsh edit %s: take %s out", view->facts->name, debug);
    nest_check_say(check, debug != NULL ? NEST_VERDICT_WARN : NEST_VERDICT_PASS,
        debug != NULL ? "It has %s, which is for debugging only." : "%s",
        debug != NULL ? debug : "It has nothing that is for debugging only.");
}

static void check_clock(const NestVmView *view, NestCheck *check)
{
    if (!is_windows(view, check))
        return;
    gboolean clock = nest_domain_hyperv_has(hyperv_of(view), NEST_HYPERV_CLOCK);
    gboolean hpet_off = hyperv_of(view)->hpet_off;
    nest_check_read(check, "definition, clock: hypervclock %s, hpet %s", clock ? "on" : "off",
        hpet_off ? "off" : "on");
    if (clock && hpet_off) {
        nest_check_say(check, NEST_VERDICT_PASS, "Windows reads the time without an exit.");
        return;
    }
    nest_check_fix(check, "virsh edit %s: in clock,%s%s", view->facts->name,
        clock ? "" : " <timer name='hypervclock' present='yes'/>",
        hpet_off ? "" : " <timer name='hpet' present='no'/>");
    nest_check_say(check, NEST_VERDICT_WARN, "%s",
        clock ? "Windows may use the HPET, of which each access costs an exit."
              : "Windows has no clock that it can read without an exit.");
}

/* TRUE if the CPU is that of the host, with whatever it has. */
static gboolean is_of_host(const NestDomain *domain)
{
    return g_strcmp0(domain->cpu_mode, "host-passthrough") == 0 ||
        g_strcmp0(domain->cpu_mode, "maximum") == 0;
}

static void check_archcap(const NestVmView *view, NestCheck *check)
{
    const NestDomainExtras *extras = &view->domain->extras;
    if (!is_windows(view, check) || !is_host_known(view, check))
        return;
    if (view->host->vmx) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "This is about AMD only.");
        return;
    }
    const char *qemu = view->caps != NULL ? view->caps->qemu_version : NULL;
    gboolean given = is_of_host(view->domain) && !extras->arch_capabilities_off &&
        nest_version_number(qemu) < NEST_VERSION_NUMBER(10, 1);
    nest_check_read(check, "definition, arch-capabilities: %s; QEMU %s",
        extras->arch_capabilities           ? "on"
            : extras->arch_capabilities_off ? "off"
                                            : "not named",
        nest_check_or_unread(qemu));
    if (!extras->arch_capabilities && given && nest_version_number(qemu) == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "QEMU gives arch-capabilities before 10.1, and its version can't be told.");
        return;
    }
    if (!extras->arch_capabilities && !given) {
        nest_check_say(check, NEST_VERDICT_PASS, "It has no register that only Intel has.");
        return;
    }
    nest_check_fix(check, "virsh edit %s: the feature arch-capabilities with policy disable",
        view->facts->name);
    nest_check_say(check, extras->arch_capabilities ? NEST_VERDICT_FAIL : NEST_VERDICT_WARN,
        "It %s arch-capabilities, which no CPU of AMD has: Windows may crash.",
        extras->arch_capabilities ? "asks for" : "is given");
}

static void check_dangerflags(const NestVmView *view, NestCheck *check)
{
    const NestDomainExtras *extras = &view->domain->extras;
    if (!is_windows(view, check) || !is_host_known(view, check))
        return;
    gboolean host = is_of_host(view->domain);
    gboolean md_clear = host && view->host->md_clear && !extras->md_clear_off;
    gboolean flush = host && view->host->flush_l1d && !extras->flush_l1d_off;
    nest_check_read(check, "definition, cpu mode: %s; passed on: %s%s%s",
        view->domain->cpu_mode != NULL ? view->domain->cpu_mode : "none",
        md_clear ? "md-clear" : "", md_clear && flush ? ", " : "",
        flush          ? "flush-l1d"
            : md_clear ? ""
                       : "neither md-clear nor flush-l1d");
    if (md_clear || flush)
        nest_check_say(check, NEST_VERDICT_INFO,
            "Windows is told how to flush what the CPU may leak, and does so at each switch: its "
            "memory can be much slower than with a named CPU model.");
    else
        nest_check_say(check, NEST_VERDICT_PASS, "Nothing makes Windows flush at each switch.");
}

// clang-format off
const NestVmCheckRow nest_checks_vm_windows[] = {
    {{"vm.hv.profile", "Windows gets Hyper-V's enlightenments", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The enlightenments in hyperv that Windows, and Hyper-V in it, make use of, and the timer "
         "hypervclock.",
         "Without stimer direct Hyper-V in a VM has no timer; without the others it is slow.",
         "Add what is missing to hyperv in features; it needs one another: stimer needs synic, "
         "synic and tlbflush and ipi need vpindex.",
         "QEMU: system/i386/hyperv.rst"},
        check_profile},
    {{"vm.hv.evmcs", "Hyper-V gets the enlightened VMCS", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The enlightenment evmcs, the vapic that it needs, and the vendor of the host's CPU.",
         "On Intel, Hyper-V in a VM otherwise leaves for the host at each access to the state of "
         "an inner VM. On AMD it does not exist: a VM that asks for it does not start.",
         "On Intel add evmcs to hyperv, and measure: posted interrupts are off then. On AMD take "
         "it out.",
         "QEMU: system/i386/hyperv.rst"},
        check_evmcs},
    {{"vm.hv.evmcs-kernel", "the kernel's enlightened VMCS works", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The version of the kernel, where evmcs is on.",
         "Before 5.15 KVM offered controls that the enlightened VMCS has no field for: Windows "
         "Server 2022 with Hyper-V failed to boot.",
         "Update the kernel, or take evmcs out.",
         "Linux: commit 8d68bad6d869"},
        check_evmcs_kernel},
    {{"vm.hv.emsr", "Hyper-V saves exits of inner VMs", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The enlightenments emsr_bitmap and tlbflush direct, where libvirt knows them.",
         "With them the host handles more of what inner VMs do, and Hyper-V need not be woken.",
         "Add emsr_bitmap (libvirt 10.7) and direct in tlbflush (11.0); Intel needs evmcs for "
         "both.",
         "QEMU: system/i386/hyperv.rst; libvirt: release notes of 10.7.0 and 11.0.0"},
        check_emsr},
    {{"vm.hv.passthrough", "its enlightenments are named", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The mode of the element hyperv.",
         "With passthrough the guest gets what this host has, and no other host may have the same.",
         "Name the enlightenments, or use mode host-model (libvirt 11.9).",
         "libvirt: formatdomain, Hypervisor features; QEMU: system/i386/hyperv.rst"},
        check_passthrough},
    {{"vm.hv.debug", "no enlightenment is for debugging", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "hv-syndbg and hv-enforce-cpuid handed to QEMU, and a panic device of model hyperv.",
         "The first two are for development and can keep Windows from booting; the third turns "
         "the VM off where Windows would write a dump.",
         "Take them out of the definition.",
         "QEMU: system/i386/hyperv.rst"},
        check_debug},
    {{"vm.clock", "Windows reads the time without an exit", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The timers hypervclock and hpet of the element clock.",
         "Windows falls back to clocks that cost an exit each time they are read, and without "
         "stimer to the HPET.",
         "hypervclock present='yes', hpet present='no'.",
         "QEMU: system/i386/hyperv.rst; libvirt: formatdomain, Time keeping"},
        check_clock},
    {{"vm.cpu.archcap", "AMD hosts give no arch-capabilities", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The CPU feature arch-capabilities of Windows on an AMD host. QEMU before 10.1 gives it "
         "to every VM with the CPU of the host.",
         "KVM emulates this register of Intel on AMD too; Windows may crash when it finds it.",
         "Disable the feature, or use QEMU 10.1 or later.",
         "libvirt: release notes of 12.5.0; QEMU: commit d3a24134e37d"},
        check_archcap},
    {{"vm.cpu.dangerflags", "Windows flushes no more than it must", NEST_CHECK_PLAIN,
         NEST_VERDICT_INFO,
         "The CPU features md-clear and flush-l1d, passed on to Windows with the CPU of the host.",
         "Windows that finds them flushes buffers at each switch: people report memory at a "
         "fraction of its speed.",
         "Where that hurts: a named CPU model without them. It gives up a protection of the guest.",
         "Linux: Documentation/admin-guide/hw-vuln/mds.rst"},
        check_dangerflags},
    {{NULL}, NULL},
};
// clang-format on
