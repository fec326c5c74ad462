/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-host-plan.h"
#include <string.h>

/* What the machine itself can do: CPU, firmware, kernel and KVM. */

static const char *flag_text(const NestHostFacts *host)
{
    return host->vmx ? "vmx" : host->svm ? "svm" : "neither vmx nor svm";
}

static void read_cpuinfo(const NestHostFacts *host, NestCheck *check, const char *what)
{
    nest_check_read(check, "/proc/cpuinfo: %s",
        host->cpuinfo_read ? what : nest_check_or_unread(host->cpuinfo_error));
}

static void say_cpuinfo_unread(NestCheck *check)
{
    nest_check_fix(check, "see that nestd may read /proc/cpuinfo");
    nest_check_say(
        check, NEST_VERDICT_UNKNOWN, "What the CPU of this host can do could not be read.");
}

/* The end of a sentence that says no to KVM. */
static const char *tcg_hope(const NestHostView *view)
{
    gboolean nests =
        view->caps != NULL && view->caps->tcg && view->caps->tcg_extension != NEST_EXTENSION_NONE;
    return nests ? "; VMs of class TCG can still nest, by software AMD-V" : "";
}

static void check_arch(const NestHostView *view, NestCheck *check)
{
    const char *arch = view->host->arch;
    nest_check_read(check, "/proc/sys/kernel/arch, uname: %s", nest_check_or_unread(arch));
    if (arch == NULL) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The architecture could not be read.");
        return;
    }
    if (strcmp(arch, "x86_64") == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "The host is an x86_64 machine.");
        return;
    }
    nest_check_fix(check, "use an x86_64 host");
    nest_check_say(check, NEST_VERDICT_FAIL, "Nesting on %s is not supported yet.", arch);
}

static void check_cpu_vendor(const NestHostView *view, NestCheck *check)
{
    static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD", "HygonGenuine", NULL};
    const char *vendor = view->host->cpu_vendor;
    read_cpuinfo(view->host, check, nest_check_or_unread(vendor));
    if (!view->host->cpuinfo_read) {
        say_cpuinfo_unread(check);
        return;
    }
    if (vendor != NULL && g_strv_contains(vendors, vendor)) {
        nest_check_say(check, NEST_VERDICT_PASS, "The CPU is of a vendor that KVM nests on.");
        return;
    }
    nest_check_fix(check, "use a host with an Intel, AMD or Hygon CPU");
    nest_check_say(check, NEST_VERDICT_FAIL,
        "The CPU is neither of Intel nor of AMD nor of Hygon (%s).",
        vendor != NULL ? vendor : "it names no vendor");
}

static void check_cpu_virt(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    read_cpuinfo(host, check, flag_text(host));
    if (!host->cpuinfo_read) {
        say_cpuinfo_unread(check);
        return;
    }
    if (host->vmx || host->svm) {
        nest_check_say(
            check, NEST_VERDICT_PASS, "The CPU has %s.", host->vmx ? "VT-x (vmx)" : "AMD-V (svm)");
        return;
    }
    g_autoptr(NestGift) gift = nest_gift_of_kvm(host, view->caps);
    nest_check_fix(check, "%s", gift->next);
    nest_check_say(check, NEST_VERDICT_FAIL, "The CPU shows neither VT-x nor AMD-V%s%s.",
        host->firmware_locked   ? ": firmware has locked it"
            : host->xen_control ? ": Xen owns it"
            : host->hypervisor  ? ": the hypervisor below this host does not pass it on"
                                : "",
        tcg_hope(view));
}

static void check_cpu_slat(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    const char *name = host->svm ? "npt" : "ept";
    gboolean flag = host->ept || host->npt;
    g_autofree char *what = g_strdup_printf("%s%s, module parameter %s", flag ? "" : "no ", name,
        nest_check_or_unread(host->slat_parameter.value));
    read_cpuinfo(host, check, host->vmx || host->svm ? what : flag_text(host));
    if (!host->cpuinfo_read) {
        say_cpuinfo_unread(check);
    } else if (!host->vmx && !host->svm) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "The CPU has no VT-x and no AMD-V.");
    } else if (nest_host_slat(host)) {
        nest_check_say(check, NEST_VERDICT_PASS, "Nested paging is there (%s).", name);
    } else {
        nest_check_fix(check,
            flag ? "load %s with %s=1" : "use a newer CPU; the module %s has %s only there",
            nest_check_or_unread(host->kvm_module), name);
        nest_check_say(check, NEST_VERDICT_WARN,
            "Nested paging (%s) is %s: inner VMs are very slow.", name,
            flag ? "switched off" : "missing");
    }
}

static void check_bios_lock(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    nest_check_read(check, "%s", nest_check_or_unread(host->firmware_lock_read));
    if (host->firmware_locked) {
        nest_check_fix(check,
            "enable VT-x or AMD-V (SVM) in the firmware setup, then switch the host off and on");
        nest_check_say(check, NEST_VERDICT_FAIL, "Firmware has locked the extension.");
    } else if (host->firmware_lock_known) {
        nest_check_say(check, NEST_VERDICT_PASS, "Firmware has not locked the extension.");
    } else if (host->hypervisor) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "This host is itself a VM: not its firmware but the outer hypervisor decides.");
    } else {
        nest_check_fix(check, "modprobe msr, then look again");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether firmware has locked the extension can't be told.");
    }
}

static void fix_by_module(const NestHostFacts *host, NestCheck *check)
{
    if (nest_host_extension(host) == NEST_EXTENSION_NONE)
        nest_check_fix(check, "see host.cpu.virt first: no module works without an extension");
    else
        nest_check_fix(
            check, "nestctl host fix; by hand: modprobe %s", host->svm ? "kvm_amd" : "kvm_intel");
}

static void check_kvm_dev(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    const NestKvmFacts *kvm = &host->kvm;
    if (!kvm->present) {
        nest_check_read(check, "/dev/kvm: %s", nest_check_or_unread(kvm->error));
        fix_by_module(host, check);
        nest_check_say(check, NEST_VERDICT_FAIL, "There is no /dev/kvm.");
        return;
    }
    if (!kvm->opened) {
        nest_check_read(check, "/dev/kvm: %s", nest_check_or_unread(kvm->error));
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "/dev/kvm is there and could not be asked.");
        return;
    }
    nest_check_read(check, "/dev/kvm: API version %d", kvm->api_version);
    if (kvm->api_version == 12) {
        nest_check_say(check, NEST_VERDICT_PASS, "/dev/kvm speaks API version 12.");
        return;
    }
    nest_check_fix(check, "use a current kernel");
    nest_check_say(check, NEST_VERDICT_FAIL, "/dev/kvm speaks API version %d instead of 12.",
        kvm->api_version);
}

/* nestd is root and may do what QEMU, which is not, may not. libvirt tries as QEMU's user. */
static void say_usable(const NestHostView *view, NestCheck *check)
{
    const NestKvmFacts *kvm = &view->host->kvm;
    gboolean enough =
        kvm->access == NULL || nest_host_plan_access_is_enough(kvm->access, kvm->group);
    gboolean offered = view->caps != NULL && view->caps->kvm;
    nest_check_read(check, "/dev/kvm: a VM was created; mode, user and group: %s; libvirt: %s",
        nest_check_or_unread(kvm->access),
        view->caps == NULL ? "not asked"
            : offered      ? "offers KVM"
                           : "does not offer KVM");
    if (enough || offered) {
        nest_check_say(check, NEST_VERDICT_PASS, "VMs can be created on /dev/kvm.");
        return;
    }
    nest_check_fix(check,
        "nestctl host fix; by hand: let QEMU open /dev/kvm by the group kvm and a udev rule");
    nest_check_say(check, view->caps != NULL ? NEST_VERDICT_FAIL : NEST_VERDICT_UNKNOWN,
        "nestd, as root, can create VMs on /dev/kvm, but a QEMU that is not root's can't.");
}

static void check_kvm_access(const NestHostView *view, NestCheck *check)
{
    const NestKvmFacts *kvm = &view->host->kvm;
    if (!kvm->present) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "There is no /dev/kvm.");
        return;
    }
    if (kvm->vm_created) {
        say_usable(view, check);
        return;
    }
    nest_check_read(check, "/dev/kvm: %s", nest_check_or_unread(kvm->error));
    nest_check_fix(check,
        kvm->opened
            ? "stop what else uses the extension, and read the kernel log for kvm"
            : "nestctl host fix; by hand: let QEMU open /dev/kvm by the group kvm and a udev rule");
    nest_check_say(check, NEST_VERDICT_FAIL, "No VM can be created on /dev/kvm (%s).",
        nest_check_or_unread(kvm->error));
}

static void check_kvm_backend(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    const char *module = host->kvm_module;
    nest_check_read(check, "/sys/module: %s", module != NULL ? module : "no KVM module");
    if (module == NULL) {
        fix_by_module(host, check);
        nest_check_say(check, NEST_VERDICT_FAIL, "No KVM module is loaded.");
        return;
    }
    if (strcmp(module, "kvm_pvm") == 0) {
        nest_check_fix(check,
            "use a host with VT-x or AMD-V, or VMs of class TCG: nestctl create --accel tcg");
        nest_check_say(check, NEST_VERDICT_FAIL,
            "KVM is software here (kvm_pvm): VMs run, and have no extension to nest with%s.",
            tcg_hope(view));
        return;
    }
    if (nest_host_hardware_kvm(host))
        nest_check_say(check, NEST_VERDICT_PASS, "KVM is backed by hardware (%s).", module);
    else
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "%s is there, and nothing proves that it works: no VM could be created.", module);
}

static void check_kvm_nested(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    const NestFact *nested = &host->nested;
    if (host->kvm_module == NULL || strcmp(host->kvm_module, "kvm_pvm") == 0) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "No hardware KVM module is loaded.");
        return;
    }
    nest_check_read(check, "%s: %s", nested->path,
        nested->value != NULL ? nested->value : nest_check_or_unread(nested->error));
    if (nested->value == NULL) {
        nest_check_fix(check, "see that nestd may read %s", nested->path);
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "Whether %s allows nesting could not be read.",
            host->kvm_module);
    } else if (nest_host_nested(host)) {
        nest_check_say(check, NEST_VERDICT_PASS, "%s allows nesting.", host->kvm_module);
    } else {
        g_autofree char *fix = nest_gift_nested_fix(host);
        nest_check_fix(check, "%s", fix);
        nest_check_say(check, NEST_VERDICT_FAIL, "%s does not allow nesting (nested=%s).",
            host->kvm_module, nested->value);
    }
}

static void check_cap_nested_state(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    if (!nest_host_hardware_kvm(host)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "There is no hardware KVM to ask.");
        return;
    }
    nest_check_read(check, "/dev/kvm: KVM_CAP_NESTED_STATE is %d", host->kvm.nested_state);
    if (host->kvm.nested_state > 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "The kernel can hand out nested state.");
    } else if (host->kvm.nested_state == 0) {
        nest_check_fix(check, "use kernel 5.3 (Intel), 5.8 (AMD) or later");
        nest_check_say(check, NEST_VERDICT_WARN,
            "The kernel can't hand out nested state: a VM that hosts others can never be saved.");
    } else {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "KVM_CAP_NESTED_STATE could not be asked.");
    }
}

// clang-format off
const NestHostCheckRow nest_checks_host_machine[] = {
    {{"host.arch", "the architecture can nest", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "The architecture of the host, as the kernel names it.",
         "nestd knows the virtualization extensions of x86_64 only; other architectures nest in "
         "other ways, or not at all.",
         "Use an x86_64 host.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_arch},
    {{"host.cpu.vendor", "the CPU vendor is known", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The vendor of the CPU, from /proc/cpuinfo.",
         "KVM has nesting for CPUs of Intel, AMD and Hygon.",
         "Use a host with one of these.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_cpu_vendor},
    {{"host.cpu.virt", "the CPU has VT-x or AMD-V", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "Whether the kernel shows the flag vmx (VT-x) or svm (AMD-V).",
         "Without the extension there is nothing that a VM could be given. The flag is also "
         "missing where firmware locked it, and where this host is a VM whose hypervisor keeps it "
         "back.",
         "Switch the extension on in the firmware setup, or in the hypervisor below this host.",
         "Intel SDM volume 3, chapter 23; AMD APM volume 2, chapter 15"},
        check_cpu_virt},
    {{"host.cpu.slat", "the CPU has nested paging", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the CPU has EPT (Intel) or NPT (AMD), and KVM uses it.",
         "Without it KVM keeps page tables of inner VMs by hand, which makes them very slow.",
         "Load kvm_intel with ept=1 or kvm_amd with npt=1; where the CPU has none, use a newer "
         "one.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_cpu_slat},
    {{"host.bios.lock", "firmware allows the extension", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Bits 0 and 2 of the register 0x3A (Intel), or bit 4 of 0xC0010114 (AMD), from "
         "/dev/cpu/0/msr. A VM that was created with the extension proves the same.",
         "Firmware can lock the extension so that no system can switch it on.",
         "Enable VT-x, VMX or SVM in the firmware setup, then switch the host off and on: a "
         "reboot may not do.",
         "Intel SDM volume 3, 23.7; AMD APM volume 2, 15.30.1"},
        check_bios_lock},
    {{"host.kvm.dev", "/dev/kvm is there", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "Whether /dev/kvm is there and speaks version 12 of its interface.",
         "Every VM of class KVM needs it.",
         "modprobe kvm_intel, or kvm_amd; the kernel log says why it would not load.",
         "Linux: Documentation/virt/kvm/api.rst, 4.1"},
        check_kvm_dev},
    {{"host.kvm.access", "/dev/kvm can be used", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "Whether a VM can be created on /dev/kvm: nestd tries it. And whether QEMU can, which runs "
         "as another user: by mode and group of the device, or because libvirt offers KVM.",
         "Rights or another hypervisor can stand in the way though the device is there.",
         "Let nestd and QEMU open it (group kvm, or a udev rule), and stop other hypervisors.",
         "Linux: Documentation/virt/kvm/api.rst, 4.2"},
        check_kvm_access},
    {{"host.kvm.backend", "KVM is backed by hardware", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "Which module gives KVM its CPU: kvm_intel, kvm_amd or, by software, kvm_pvm.",
         "Software KVM runs VMs but has no extension to give them.",
         "Use a host with VT-x or AMD-V, or have the hypervisor below this host pass it on.",
         "nestd: docs/facts.md, F13"},
        check_kvm_backend},
    {{"host.kvm.nested", "KVM allows nesting", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "The parameter nested of kvm_intel or kvm_amd.",
         "With it off KVM keeps the extension back from every VM.",
         "With no VM running: modprobe -r kvm_intel, then modprobe kvm_intel nested=1 (or "
         "kvm_amd); to keep it, write \"options kvm_intel nested=1\" to a file in /etc/modprobe.d.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_kvm_nested},
    {{"host.kvm.cap-nested-state", "nested state can be saved", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The capability KVM_CAP_NESTED_STATE of /dev/kvm.",
         "Without it the state of a VM that hosts others can't be taken out of the kernel: it can "
         "never be saved or migrated.",
         "Use kernel 5.3 (Intel), 5.8 (AMD) or later.",
         "Linux: Documentation/virt/kvm/api.rst, 4.114"},
        check_cap_nested_state},
    {{NULL}, NULL},
};
// clang-format on
