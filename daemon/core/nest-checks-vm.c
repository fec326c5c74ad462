/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-record.h"
#include "nest-size.h"
#include "nest-vm-drift.h"
#include "nest-vm-trust.h"
#include <string.h>

/* What a VM's definition and state say. */

static const char *policy_text(NestFeaturePolicy policy)
{
    static const char *const names[] = {
        "not named", "force", "require", "optional", "disable", "forbid"};
    return (guint)policy < G_N_ELEMENTS(names) ? names[policy] : "unknown";
}

static void read_cpu(const NestDomain *domain, NestCheck *check)
{
    nest_check_read(check, "definition, cpu: mode %s%s%s, check %s, vmx %s, svm %s%s",
        domain->cpu_mode != NULL ? domain->cpu_mode : "none",
        domain->cpu_model != NULL ? ", model " : "",
        domain->cpu_model != NULL ? domain->cpu_model : "",
        domain->check_full ? "full" : "not full", policy_text(domain->vmx),
        policy_text(domain->svm), domain->cpu_override ? ", and -cpu in qemu:commandline" : "");
}

static void fix_by_enable(const NestVmView *view, NestCheck *check)
{
    nest_check_fix(check, "nestctl enable %s", view->facts->name);
}

static void check_host(const NestVmView *view, NestCheck *check)
{
    g_autoptr(NestGift) gift = nest_vm_view_gift(view);
    nest_check_read(check, "%s", gift->read);
    if (gift->answer == NEST_GIFT_YES) {
        nest_check_say(check, NEST_VERDICT_PASS, "The host can give it %s.",
            nest_gift_extension_text(nest_vm_view_extension(view)));
        return;
    }
    nest_check_fix(check, "%s", gift->next);
    nest_check_say(check,
        gift->answer == NEST_GIFT_UNKNOWN ? NEST_VERDICT_UNKNOWN : NEST_VERDICT_FAIL,
        "The host can't give it the extension: %s.", gift->reason);
}

static void check_saved(const NestVmView *view, NestCheck *check)
{
    const NestVmFacts *facts = view->facts;
    nest_check_read(
        check, "hypervisor: %s", facts->saved_state ? "a saved state is there" : "no saved state");
    if (!facts->saved_state) {
        nest_check_say(check, NEST_VERDICT_PASS, "No saved state waits to be resumed.");
        return;
    }
    nest_check_fix(check,
        "resume and shut it down: nestctl start %s; or give the saved state up: "
        "nestctl enable %s",
        facts->name, facts->name);
    nest_check_say(check, NEST_VERDICT_FAIL,
        "The VM is saved: it would be resumed with the CPU that it had when it was saved.");
}

static void check_exposed(const NestVmView *view, NestCheck *check)
{
    read_cpu(view->domain, check);
    NestNesting nesting = nest_vm_view_nesting(view);
    if (nesting == NEST_NESTING_OFF) {
        fix_by_enable(view, check);
        nest_check_say(check, NEST_VERDICT_FAIL, "The virtualization extensions are not exposed.");
    } else if (nesting == NEST_NESTING_IMPLICIT) {
        fix_by_enable(view, check);
        nest_check_say(check, NEST_VERDICT_INFO,
            "Nobody asked for the extensions, but the CPU may pass them on.");
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "The virtualization extensions are exposed.");
    }
}

static void check_enforced(const NestVmView *view, NestCheck *check)
{
    read_cpu(view->domain, check);
    switch (nest_vm_view_nesting(view)) {
    case NEST_NESTING_ON:
        nest_check_say(check, NEST_VERDICT_PASS, "The VM does not start without the extension.");
        return;
    case NEST_NESTING_UNENFORCED:
        nest_check_say(check, NEST_VERDICT_WARN,
            "The extension is asked for, but a start without it would succeed and nobody would "
            "notice.");
        break;
    case NEST_NESTING_IMPLICIT:
        nest_check_say(check, NEST_VERDICT_WARN,
            "The CPU may pass the extension on, nobody asked for it, and a start without it would "
            "succeed.");
        break;
    case NEST_NESTING_OFF:
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "The extensions are not exposed.");
        return;
    }
    fix_by_enable(view, check);
}

static NestExtension other_of(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? NEST_EXTENSION_SVM : NEST_EXTENSION_VMX;
}

static void check_vendor_match(const NestVmView *view, NestCheck *check)
{
    const NestDomain *domain = view->domain;
    NestExtension extension = nest_vm_view_extension(view);
    read_cpu(domain, check);
    if (!nest_vm_domain_asks(domain, NEST_EXTENSION_VMX) &&
        !nest_vm_domain_asks(domain, NEST_EXTENSION_SVM)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It asks for no extension.");
    } else if (extension == NEST_EXTENSION_NONE) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "It asks for an extension, and which one the host has is not known.");
    } else if (nest_vm_domain_asks(domain, other_of(extension))) {
        fix_by_enable(view, check);
        nest_check_say(check, NEST_VERDICT_FAIL, "It asks for %s, but would get %s here.",
            nest_gift_extension_text(other_of(extension)), nest_gift_extension_text(extension));
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "It asks for the extension that it would get.");
    }
}

/* Only what the host has can get in the way: forbidding the other one changes nothing. */
static gboolean forbids_own(const NestVmView *view)
{
    NestExtension extension = nest_vm_view_extension(view);
    return (extension != NEST_EXTENSION_SVM && view->domain->vmx == NEST_POLICY_FORBID) ||
        (extension != NEST_EXTENSION_VMX && view->domain->svm == NEST_POLICY_FORBID);
}

static void check_conflict(const NestVmView *view, NestCheck *check)
{
    const NestDomain *domain = view->domain;
    const char *paging =
        nest_vm_view_nesting(view) != NEST_NESTING_OFF ? domain->extras.paging_off : NULL;
    gboolean both = nest_vm_domain_asks(domain, NEST_EXTENSION_VMX) &&
        nest_vm_domain_asks(domain, NEST_EXTENSION_SVM);
    gboolean forbidden = forbids_own(view);
    read_cpu(domain, check);
    if (!both && !forbidden && !domain->cpu_override && paging != NULL) {
        nest_check_fix(check, "virsh edit %s: take out the feature %s", view->facts->name, paging);
        nest_check_say(check, NEST_VERDICT_WARN,
            "It has the extension without nested paging (%s): its inner VMs are very slow.",
            paging);
        return;
    }
    if (!both && !forbidden && !domain->cpu_override) {
        nest_check_say(check, NEST_VERDICT_PASS, "Nothing in its CPU contradicts itself.");
        return;
    }
    if (domain->cpu_override)
        nest_check_fix(check, "take -cpu out of <qemu:commandline>");
    else
        fix_by_enable(view, check);
    nest_check_say(check, domain->cpu_override && !both ? NEST_VERDICT_WARN : NEST_VERDICT_FAIL,
        "%s",
        both            ? "It asks for vmx and svm, and no CPU has both."
            : forbidden ? "It forbids the extension: it would not start on a host that has it."
                        : "It hands QEMU a CPU of its own: what it gets can't be told.");
}

static void check_pending(const NestVmView *view, NestCheck *check)
{
    if (view->live == NULL) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It does not run.");
        return;
    }
    const NestDomain *live = view->live, *stored = view->domain;
    nest_check_read(check, "running: mode %s, vmx %s, svm %s; stored: mode %s, vmx %s, svm %s",
        live->cpu_mode != NULL ? live->cpu_mode : "none", policy_text(live->vmx),
        policy_text(live->svm), stored->cpu_mode != NULL ? stored->cpu_mode : "none",
        policy_text(stored->vmx), policy_text(stored->svm));
    if (!nest_vm_view_pending(view)) {
        nest_check_say(check, NEST_VERDICT_PASS, "It runs with the CPU of its definition.");
        return;
    }
    nest_check_fix(check,
        "shut it down and start it again, a reboot is not enough: nestctl shutdown %s, nestctl "
        "start %s",
        view->facts->name, view->facts->name);
    nest_check_say(check, NEST_VERDICT_WARN, "It runs with another CPU than its definition has.");
}

static void check_type(const NestVmView *view, NestCheck *check)
{
    const char *type = view->domain->type;
    nest_check_read(check, "definition, type: %s", nest_check_or_unread(type));
    if (g_strcmp0(type, "kvm") == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "It runs on KVM.");
    } else if (g_strcmp0(type, "qemu") == 0) {
        nest_check_say(
            check, NEST_VERDICT_INFO, "It runs on QEMU's software CPU: slow, and AMD-V only.");
    } else {
        nest_check_fix(check, "use a VM of type kvm or qemu");
        nest_check_say(check, NEST_VERDICT_FAIL, "VMs of type %s can't nest.",
            type != NULL ? type : "unknown");
    }
}

static void check_vcpus(const NestVmView *view, NestCheck *check)
{
    guint vcpus = view->domain->vcpus;
    nest_check_read(check, "definition, vcpu: %u", vcpus);
    if (vcpus == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "How many vCPUs it has could not be read.");
    } else if (vcpus == 1) {
        nest_check_fix(check, "give it two vCPUs or more");
        nest_check_say(check, NEST_VERDICT_WARN,
            "It has one vCPU: its hypervisor and its inner VMs share it.");
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "It has %u vCPUs.", vcpus);
    }
}

static void check_mem_min(const NestVmView *view, NestCheck *check)
{
    guint64 memory = view->domain->memory_kib;
    g_autofree char *size = nest_size_text(memory);
    g_autofree char *wanted = nest_size_text(NEST_MEMORY_WANTED_KIB);
    nest_check_read(check, "definition, memory: %s", size);
    if (memory == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "How much memory it has could not be read.");
    } else if (memory < NEST_MEMORY_WANTED_KIB) {
        fix_by_enable(view, check);
        nest_check_say(check, NEST_VERDICT_WARN,
            "It has %s, less than %s: inner VMs may not start.", size, wanted);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "It has %s.", size);
    }
}

static void check_mem_dynamic(const NestVmView *view, NestCheck *check)
{
    const NestDomain *domain = view->domain;
    g_autofree char *range = nest_size_range(domain->current_memory_kib, domain->memory_kib);
    nest_check_read(check, "definition, currentMemory and memory: %s, balloon: %s", range,
        domain->balloon ? "is there" : "none");
    if (nest_domain_memory_is_dynamic(domain)) {
        fix_by_enable(view, check);
        nest_check_say(check, NEST_VERDICT_FAIL,
            "Dynamic memory is on (%s): it does not go together with nesting.", range);
    } else if (domain->balloon) {
        nest_check_say(check, NEST_VERDICT_INFO,
            "Memory is fixed at %s, but there is a balloon that could change it.", range);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "Memory is fixed at %s.", range);
    }
}

static void check_snapshots(const NestVmView *view, NestCheck *check)
{
    guint snapshots = view->facts->snapshots;
    nest_check_read(check, "hypervisor: %u snapshots", snapshots);
    if (snapshots == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "It has no snapshots.");
        return;
    }
    nest_check_fix(
        check, "delete those that you don't need: virsh snapshot-list %s", view->facts->name);
    nest_check_say(check, NEST_VERDICT_WARN,
        "It has %u snapshot%s: reverting brings back the CPU of that time.", snapshots,
        snapshots == 1 ? "" : "s");
}

static void check_unwanted(const NestVmView *view, NestCheck *check)
{
    read_cpu(view->domain, check);
    if (nest_vm_view_nesting(view) != NEST_NESTING_IMPLICIT) {
        nest_check_say(check, NEST_VERDICT_PASS, "Nothing is exposed that nobody asked for.");
        return;
    }
    nest_check_fix(check, "decide: nestctl enable %s, or nestctl disable %s", view->facts->name,
        view->facts->name);
    nest_check_say(
        check, NEST_VERDICT_WARN, "The VM may get the extension though nobody asked for it.");
}

static void check_drift(const NestVmView *view, NestCheck *check)
{
    g_autofree char *drift = nest_vm_drift(view);
    if (view->marks == NULL || !view->marks->guarded) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "nestd has not switched nesting on in it.");
        return;
    }
    read_cpu(view->domain, check);
    if (drift == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "What nestd set up for nesting is still there.");
        return;
    }
    fix_by_enable(view, check);
    nest_check_say(check, NEST_VERDICT_WARN,
        "nestd set it up for nesting, and somebody else changed it since: %s.", drift);
}

static void say_trust_open(const NestVmView *view, NestCheck *check, const char *open)
{
    gboolean untrusted = nest_vm_trust_is_missing(view);
    nest_check_fix(check,
        untrusted ? "update the kernel and the microcode of the host; or: nestctl trust %s trusted"
                  : "update the kernel and the microcode of the host; if its guest is not to be "
                    "trusted: nestctl trust %s untrusted",
        view->facts->name);
    nest_check_say(check, untrusted ? NEST_VERDICT_FAIL : NEST_VERDICT_WARN,
        untrusted ? "It is untrusted, and nesting it could reach what is open on this host: %s."
                  : "By nesting it could reach what is open on this host: %s.",
        open);
}

static void check_trust(const NestVmView *view, NestCheck *check)
{
    gboolean untrusted = nest_vm_trust_is_missing(view);
    g_autofree char *open = nest_vm_trust_open(view);
    g_autofree char *unproved = nest_vm_trust_unproved(view);
    nest_check_read(check, "label: %s; host, open: %s; not proved: %s",
        untrusted ? "untrusted" : "trusted", open != NULL ? open : "nothing known",
        unproved != NULL ? unproved : "nothing");
    if (view->domain->accel == NEST_ACCEL_TCG) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "It runs on QEMU's software CPU: nesting lets it reach no more of the host.");
    } else if (nest_vm_view_nesting(view) == NEST_NESTING_OFF) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "The extensions are not exposed.");
    } else if (open != NULL) {
        say_trust_open(view, check, open);
    } else if (unproved != NULL) {
        nest_check_fix(check,
            "see host.kernel.cve-* and host.mitigations in nestctl check, and ask the distribution "
            "of the host's kernel");
        nest_check_say(check, untrusted ? NEST_VERDICT_WARN : NEST_VERDICT_INFO,
            "By nesting it may reach what nothing proves to be mended on this host: %s.", unproved);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS,
            "Nothing is known that it could reach by nesting, trusted or not.");
    }
}

// clang-format off
const NestVmCheckRow nest_checks_vm_definition[] = {
    {{"vm.host", "the host can give the extension", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "The checks of the host, for the class of this VM: KVM or QEMU's software CPU (TCG).",
         "No definition helps where the host has nothing to give.",
         "See nestctl check, which names what the host lacks.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_host},
    {{"vm.saved", "no saved state is there", NEST_CHECK_NO_DOMAIN, NEST_VERDICT_FAIL,
         "Whether the VM was saved (managed save) and waits to be resumed.",
         "A saved VM comes back with the CPU that it was saved with, not with the one of its "
         "definition.",
         "Resume it and shut it down, or give the saved state up, which loses what was in memory: "
         "nestctl start --discard-saved-state VM.",
         "libvirt: virDomainManagedSave"},
        check_saved},
    {{"vm.exposed", "the extensions are exposed", NEST_CHECK_NEEDED, NEST_VERDICT_FAIL,
         "What the stored definition says of vmx and svm in its cpu element.",
         "Without the extension a hypervisor in the VM can't run VMs by hardware.",
         "nestctl enable VM; by hand, with the VM off: virsh edit VM, cpu mode host-passthrough, "
         "check full, and the feature vmx or svm with policy require.",
         "libvirt: formatdomain, CPU model and topology; nestd: docs/facts.md, F1"},
        check_exposed},
    {{"vm.cpu.enforced", "a start without the extension fails", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the cpu element has check='full' together with the required extension.",
         "Anything less lets the VM start without the extension, and nobody notices.",
         "nestctl enable VM; by hand: check='full' at the cpu element.",
         "nestd: docs/facts.md, F1 and F16"},
        check_enforced},
    {{"vm.cpu.vendor-match", "it asks for the right extension", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether the extension that is asked for is the one that this VM would get here.",
         "vmx is Intel's and svm is AMD's: asking for the other one, the VM does not start.",
         "nestctl enable VM, which asks for the right one.",
         "libvirt: formatdomain, CPU model and topology"},
        check_vendor_match},
    {{"vm.cpu.conflict", "its CPU does not contradict itself", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether vmx and svm are both asked for or forbidden, and whether QEMU is handed a CPU "
         "behind libvirt's back.",
         "No CPU has both; a forbidden feature stops the VM on hosts that have it; of a handed-in "
         "CPU nothing is sure.",
         "Take out what is too much: virsh edit VM.",
         "libvirt: formatdomain, CPU model and topology"},
        check_conflict},
    {{"vm.cpu.pending", "what runs is what is configured", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The CPU of the running VM beside the one of its stored definition.",
         "A changed CPU takes effect when the VM was off, never by a reboot inside.",
         "Shut it down and start it again.",
         "nestd: docs/facts.md, F15"},
        check_pending},
    {{"vm.type", "its type can nest", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The type of the domain: kvm, qemu, or something else.",
         "KVM nests by hardware, QEMU's software CPU has AMD-V only and is slow, others are not "
         "nestd's.",
         "Use type kvm where the host has it.",
         "nestd: docs/facts.md, F14"},
        check_type},
    {{"vm.vcpus", "it has two vCPUs or more", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The number of virtual CPUs.",
         "With a single one the VM and its inner VMs take turns.",
         "With the VM off: virsh setvcpus VM 2 --config --maximum, then without --maximum.",
         "Microsoft: Run Hyper-V in a virtual machine with nested virtualization"},
        check_vcpus},
    {{"vm.mem.min", "it has enough memory", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The memory of the definition; 4 GiB are the least that is of use.",
         "The memory of inner VMs comes out of that of the VM.",
         "nestctl enable VM offers to raise it; by hand: virsh setmaxmem and setmem with --config.",
         "Microsoft: Enable-NestedVm.ps1"},
        check_mem_min},
    {{"vm.mem.dynamic", "its memory is fixed", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether currentMemory and memory differ and there is a balloon.",
         "Taking memory from a VM that hosts others fails or hits the inner VMs.",
         "nestctl enable VM; by hand: the same amount in both, and memballoon model none.",
         "nestd: docs/facts.md, F9, F10 and F23"},
        check_mem_dynamic},
    {{"vm.snap.any", "it has no snapshots", NEST_CHECK_NO_DOMAIN, NEST_VERDICT_WARN,
         "The number of snapshots.",
         "Reverting brings back the definition, the CPU included, of when the snapshot was made.",
         "Delete those that you don't need: virsh snapshot-list VM, virsh snapshot-delete VM NAME.",
         "libvirt: formatsnapshot"},
        check_snapshots},
    {{"vm.trust", "it can be trusted with nesting", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The label of the VM, trusted or untrusted, beside the flaws of kernel and CPU that a VM "
         "reaches only where it nests.",
         "Whoever controls the guest of a VM that nests can use these flaws against the host and "
         "other VMs.",
         "Update kernel and microcode; nest only in VMs whose guests you trust: nestctl trust VM "
         "untrusted keeps the others from it.",
         "nestd: schema/advisories.json, docs/decisions/0005-trust-of-a-vm.md"},
        check_trust},
    {{"vm.unwanted", "nothing is exposed unasked", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the CPU mode passes the extension on though nobody asked for it.",
         "What is exposed can be used, and attacked; what nobody asked for nobody counts with.",
         "Decide: nestctl enable VM, or nestctl disable VM.",
         "nestd: docs/facts.md, F12"},
        check_unwanted},
    {{"vm.drift", "it is as nestd set it up", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether what nestctl enable set up is still there: nesting enforced, memory fixed, no "
         "balloon, no filter on MAC addresses and no isolated port where it left none.",
         "Who changes a VM behind nestd's back takes away what guards rest on.",
         "nestctl enable VM sets it up again, and with --no-mac-spoofing accepts filters and isolated "
         "ports that came back; nestctl disable VM, if nesting is not wanted any more.",
         "nestd: docs/architecture.md"},
        check_drift},
    {{NULL}, NULL},
};
// clang-format on
