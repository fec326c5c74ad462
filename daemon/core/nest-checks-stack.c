/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-version.h"

/* What is below, beside and above the kernel: hypervisors, libvirt, QEMU. */

static void check_is_vm(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    g_autofree char *what = g_strdup_printf("%s, DMI: %s %s",
        host->hypervisor ? "flag hypervisor" : "no flag hypervisor",
        nest_check_or_unread(host->manufacturer), host->model != NULL ? host->model : "");
    nest_check_read(check, "/proc/cpuinfo: %s", g_strchomp(what));
    if (!host->cpuinfo_read && !host->hypervisor) {
        nest_check_say(
            check, NEST_VERDICT_UNKNOWN, "Whether this host is itself a VM can't be told.");
    } else if (host->xen_control || host->mshv) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "This host controls the hypervisor below it: it is no ordinary VM.");
    } else if (!host->hypervisor) {
        nest_check_say(check, NEST_VERDICT_PASS, "This host is a real machine.");
    } else {
        nest_check_fix(check, "run nestd one level up where speed matters");
        nest_check_say(check, NEST_VERDICT_WARN,
            "This host is itself a VM (%s): its inner VMs are two levels deep or more, and slow.",
            host->outer_hypervisor != NULL ? host->outer_hypervisor : "hypervisor unknown");
    }
}

static void check_xen(const NestHostView *view, NestCheck *check)
{
    const char *error = view->host->xen_error;
    nest_check_read(check, "/proc/xen/capabilities: %s",
        error != NULL                 ? error
            : view->host->xen_control ? "control_d"
                                      : "no control_d");
    if (error != NULL) {
        nest_check_fix(check, "mount -t xenfs xenfs /proc/xen, then look again");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Xen is below this host, and whether this host controls it could not be read.");
        return;
    }
    if (!view->host->xen_control) {
        nest_check_say(check, NEST_VERDICT_PASS, "Xen does not own this host.");
        return;
    }
    nest_check_fix(check, "boot this host without Xen");
    nest_check_say(check, NEST_VERDICT_FAIL, "Xen owns the virtualization extension of this host.");
}

static void check_mshv(const NestHostView *view, NestCheck *check)
{
    nest_check_read(check, "/dev/mshv: %s", view->host->mshv ? "is there" : "not there");
    if (!view->host->mshv) {
        nest_check_say(check, NEST_VERDICT_PASS, "Hyper-V does not own this host.");
    } else if (nest_host_hardware_kvm(view->host)) {
        nest_check_say(check, NEST_VERDICT_INFO, "Hyper-V is here, and KVM works beside it.");
    } else {
        nest_check_fix(check, "boot this host without Hyper-V");
        nest_check_say(
            check, NEST_VERDICT_FAIL, "Hyper-V owns the virtualization extension of this host.");
    }
}

static const char *find(GStrv list, const char *const *wanted)
{
    for (guint i = 0; list != NULL && list[i] != NULL; i++)
        if (g_strv_contains(wanted, list[i]))
            return list[i];
    return NULL;
}

static void check_conflict(const NestHostFacts *host, NestCheck *check, const char *product,
    const char *module, const char *const *processes)
{
    const char *const modules[] = {module, NULL};
    gboolean loaded = find(host->other_modules, modules) != NULL;
    const char *running = find(host->other_vms, processes);
    nest_check_read(check, "/sys/module/%s: %s, /proc: %s", module,
        loaded ? "is there" : "not there", running != NULL ? running : "none of its VMs");
    if (!loaded) {
        nest_check_say(check, NEST_VERDICT_PASS, "%s is not loaded.", product);
        return;
    }
    nest_check_fix(check, "stop the VMs of %s, then: modprobe -r %s", product, module);
    if (running != NULL)
        nest_check_say(check, NEST_VERDICT_FAIL,
            "%s runs VMs (%s): KVM can't use the extension beside it.", product, running);
    else
        nest_check_say(check, NEST_VERDICT_WARN,
            "%s is loaded: once it runs a VM, KVM can't use the extension.", product);
}

static void check_conflict_vbox(const NestHostView *view, NestCheck *check)
{
    static const char *const processes[] = {"VBoxHeadless", "VirtualBoxVM", NULL};
    check_conflict(view->host, check, "VirtualBox", "vboxdrv", processes);
}

static void check_conflict_vmware(const NestHostView *view, NestCheck *check)
{
    static const char *const processes[] = {"vmware-vmx", NULL};
    check_conflict(view->host, check, "VMware", "vmmon", processes);
}

/* FALSE, and the verdict is said, if the backend has not been asked. */
static gboolean have_caps(const NestHostView *view, NestCheck *check)
{
    if (view->caps != NULL)
        return TRUE;
    nest_check_read(check, "libvirt: not asked, the backend is not open");
    nest_check_fix(check, "see why the backend is not open: nestctl status");
    nest_check_say(check, NEST_VERDICT_UNKNOWN, "The backend is not open.");
    return FALSE;
}

static void check_hv_daemon(const NestHostView *view, NestCheck *check)
{
    if (!have_caps(view, check))
        return;
    const NestBackendCaps *caps = view->caps;
    nest_check_read(check, "%s: libvirt %s, QEMU %s", caps->uri != NULL ? caps->uri : "libvirt",
        nest_check_or_unread(caps->libvirt_version), nest_check_or_unread(caps->qemu_version));
    if (caps->kvm || caps->tcg) {
        nest_check_say(check, NEST_VERDICT_PASS, "libvirt and QEMU for x86_64 are there.");
        return;
    }
    nest_check_fix(check, "install QEMU for x86_64 (package qemu-system-x86 or qemu-kvm)");
    nest_check_say(check, NEST_VERDICT_FAIL, "libvirt finds no QEMU that runs x86_64 VMs.");
}

static void check_libvirt_version(const NestHostView *view, NestCheck *check)
{
    if (!have_caps(view, check))
        return;
    guint version = nest_version_number(view->caps->libvirt_version);
    nest_check_read(check, "libvirt: %s", nest_check_or_unread(view->caps->libvirt_version));
    if (version == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The version of libvirt can't be told.");
    } else if (version < NEST_VERSION_NUMBER(8, 10)) {
        nest_check_fix(check, "use libvirt 8.10 or later");
        nest_check_say(check, NEST_VERDICT_WARN,
            "libvirt %s has no statistics of nesting: whether inner VMs run can't be seen.",
            view->caps->libvirt_version);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "libvirt is recent enough.");
    }
}

static void check_qemu_version(const NestHostView *view, NestCheck *check)
{
    if (!have_caps(view, check))
        return;
    const char *text = view->caps->qemu_version;
    guint version = nest_version_number(text);
    guint least = view->host->svm ? NEST_VERSION_NUMBER(5, 1) : NEST_VERSION_NUMBER(4, 2);
    nest_check_read(check, "QEMU: %s", nest_check_or_unread(text));
    if (version >= NEST_VERSION_NUMBER(7, 1)) {
        nest_check_say(check, NEST_VERDICT_PASS, "QEMU is recent enough.");
        return;
    }
    nest_check_fix(check, "use QEMU 7.1 or later");
    if (version == 0)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The version of QEMU can't be told.");
    else if (version < least)
        nest_check_say(check, NEST_VERDICT_FAIL, "QEMU %s is too old to nest safely.", text);
    else
        nest_check_say(check, NEST_VERDICT_WARN,
            "QEMU %s has no statistics of nesting: whether inner VMs run can't be seen.", text);
}

static void check_domcaps(const NestHostView *view, NestCheck *check)
{
    if (!have_caps(view, check))
        return;
    const NestBackendCaps *caps = view->caps;
    nest_check_read(check, "domain capabilities: KVM %s, with %s",
        caps->kvm ? "offered" : "not offered",
        caps->kvm_extension == NEST_EXTENSION_NONE ? "no extension"
                                                   : nest_gift_extension_text(caps->kvm_extension));
    if (!caps->kvm) {
        nest_check_fix(check, "let QEMU open /dev/kvm, and see host.kvm.access");
        nest_check_say(
            check, NEST_VERDICT_FAIL, "libvirt does not offer KVM VMs with the CPU of this host.");
    } else if (!nest_host_kvm_nests(view->host)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "The host has nothing that libvirt could offer to KVM VMs.");
    } else if (caps->kvm_extension == NEST_EXTENSION_NONE) {
        nest_check_fix(check, "look again in a minute: libvirt probes anew after a change");
        nest_check_say(check, NEST_VERDICT_FAIL, "libvirt has no extension to offer to KVM VMs.");
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "libvirt offers %s to KVM VMs.",
            nest_gift_extension_text(caps->kvm_extension));
    }
}

/* virt-host-validate goes by the flags of the CPU and by /dev/kvm; it is not run for this. */
static void check_vhv_report(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    gboolean flag = host->vmx || host->svm;
    nest_check_read(check, "/proc/cpuinfo: %s; /dev/kvm: %s",
        flag ? "flag vmx or svm" : "neither vmx nor svm",
        host->kvm.vm_created ? "usable" : "not usable");
    if (!host->cpuinfo_read)
        nest_check_say(
            check, NEST_VERDICT_UNKNOWN, "What virt-host-validate would say can't be told.");
    else if (!flag && host->kvm.vm_created)
        nest_check_say(check, NEST_VERDICT_INFO,
            "virt-host-validate fails hardware virtualization here, though KVM runs VMs.");
    else if (nest_host_hardware_kvm(host) && host->nested.value != NULL && !nest_host_nested(host))
        nest_check_say(check, NEST_VERDICT_INFO,
            "virt-host-validate passes here, though nesting is off: it does not look at that.");
    else
        nest_check_say(
            check, NEST_VERDICT_PASS, "virt-host-validate says nothing else of KVM than nestd.");
}

static void check_policy(const NestHostView *view, NestCheck *check)
{
    const char *allow = nest_policy_allow_text(view->policy);
    nest_check_read(check, "nestd.conf, allow in [policy]: %s",
        allow == NULL        ? "*"
            : *allow != '\0' ? allow
                             : "nobody");
    if (allow == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "nestd's policy lets every VM nest.");
    } else if (*allow != '\0') {
        nest_check_say(
            check, NEST_VERDICT_INFO, "By nestd's policy only these VMs may nest: %s.", allow);
    } else {
        nest_check_fix(check, "allow in [policy] of nestd.conf, then: systemctl restart nestd");
        nest_check_say(check, NEST_VERDICT_FAIL, "By nestd's policy no VM may nest.");
    }
}

// clang-format off
const NestHostCheckRow nest_checks_host_stack[] = {
    {{"host.is-vm", "the host is a real machine", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The CPU flag hypervisor, the hypervisor's signature and the names in DMI.",
         "On a host that is a VM, inner VMs are two levels deep or more: slower, and its own "
         "hypervisor decides about the extension.",
         "Where speed matters, run nestd one level up.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_is_vm},
    {{"host.xen", "Xen leaves the extension free", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether this system controls Xen: control_d in /proc/xen/capabilities, or Xen's "
         "feature dom0.",
         "Xen then owns the extension, and KVM can't use it.",
         "Boot this host without Xen.",
         "Xen: docs/misc/xen-command-line"},
        check_xen},
    {{"host.mshv", "Hyper-V leaves the extension free", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether /dev/mshv is there: this system is the root of a Hyper-V.",
         "Hyper-V then owns the extension, unless KVM works beside it.",
         "Boot this host without Hyper-V.",
         "Linux: drivers/hv"},
        check_mshv},
    {{"host.conflict.vbox", "VirtualBox leaves the extension free",
         NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether the module vboxdrv is loaded, and processes that run VMs on it.",
         "Only one hypervisor at a time can use the extension: VMs of VirtualBox and of KVM keep "
         "each other from starting.",
         "Stop the VMs of VirtualBox, then: modprobe -r vboxdrv.",
         "VirtualBox manual, Technical Background; nestd: docs/facts.md, F11"},
        check_conflict_vbox},
    {{"host.conflict.vmware", "VMware leaves the extension free",
         NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether the module vmmon is loaded, and processes that run VMs on it.",
         "Only one hypervisor at a time can use the extension.",
         "Stop the VMs of VMware, then: modprobe -r vmmon.",
         "nestd: docs/facts.md, F11"},
        check_conflict_vmware},
    {{"host.hv-daemon", "libvirt and QEMU are there", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "Whether libvirt can be opened and knows a QEMU for x86_64.",
         "nestd does all that it does through them.",
         "Install QEMU for x86_64: the package qemu-system-x86 or qemu-kvm.",
         "libvirt: formatcaps"},
        check_hv_daemon},
    {{"host.libvirt.version", "libvirt is recent enough", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The version of libvirt.",
         "Before 8.10 it hands out no statistics of KVM: whether inner VMs run can't be seen.",
         "Update libvirt.",
         "libvirt: release notes of 8.10"},
        check_libvirt_version},
    {{"host.qemu.version", "QEMU is recent enough", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The version of QEMU.",
         "Before 4.2 (on AMD 5.1) QEMU lets a VM that hosts others be saved without its nested "
         "state. Before 7.1 it has no statistics of nesting.",
         "Update QEMU.",
         "QEMU: target/i386/machine.c; nestd: docs/facts.md, F4 and F7"},
        check_qemu_version},
    {{"host.domcaps", "libvirt offers the extension to VMs", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "The CPU that libvirt's domain capabilities offer to VMs of class KVM.",
         "What libvirt does not offer it lets no VM have, whatever the kernel can do.",
         "Put the checks of KVM right first; libvirt looks anew after a change.",
         "libvirt: formatdomaincaps; nestd: docs/facts.md, F17"},
        check_domcaps},
    {{"host.vhv-report", "virt-host-validate agrees", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "What virt-host-validate goes by: the flags of the CPU, and /dev/kvm. It is not run.",
         "It knows nothing of nesting, and fails hosts with software KVM, which run VMs.",
         "Nothing: go by the other checks.",
         "libvirt: virt-host-validate(1); nestd: docs/facts.md, F13"},
        check_vhv_report},
    {{"host.policy", "nestd's policy lets VMs nest", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Which VMs may nest, by allow in [policy] of nestd.conf. All that switches nesting on goes by "
         "it.",
         "On a host that others share, who may nest is the administrator's to say.",
         "Add names or patterns of VMs to allow, and restart nestd.",
         "nestd.conf(5)"},
        check_policy},
    {{NULL}, NULL},
};
// clang-format on
