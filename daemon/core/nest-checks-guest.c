/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-record.h"
#include <string.h>

/* What else of a VM's definition matters to VMs that host others. */

typedef struct {
    const char *what; /* is read */
    NestVerdict verdict; /* where it holds */
    const char *good, *bad, *fix;
} Rule;

static void judge(NestCheck *check, gboolean holds, const Rule *rule)
{
    nest_check_read(check, "definition, %s: %s", rule->what, holds ? "yes" : "no");
    if (holds)
        nest_check_fix(check, "%s", rule->fix);
    nest_check_say(
        check, holds ? rule->verdict : NEST_VERDICT_PASS, "%s", holds ? rule->bad : rule->good);
}

static void check_state(const NestVmView *view, NestCheck *check)
{
    NestVmState state = view->facts->state;
    nest_check_read(check, "hypervisor: %s", nest_nick(nest_vm_state_nicks, state));
    if (state == NEST_VM_UNKNOWN)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "Whether it runs can't be told.");
    else if (state == NEST_VM_OFF || state == NEST_VM_SAVED)
        nest_check_say(check, NEST_VERDICT_PASS, "It is off: its CPU can be changed.");
    else
        nest_check_say(check, NEST_VERDICT_INFO,
            "It is not off: a change of its CPU takes effect when it was turned off.");
}

static void check_portable(const NestVmView *view, NestCheck *check)
{
    const char *mode = view->domain->cpu_mode;
    nest_check_read(check, "definition, cpu mode: %s", mode != NULL ? mode : "none");
    if (g_strcmp0(mode, "host-passthrough") == 0 || g_strcmp0(mode, "maximum") == 0)
        nest_check_say(check, NEST_VERDICT_INFO,
            "Its CPU is that of the host: it can move to a host with the same CPU only.");
    else
        nest_check_say(check, NEST_VERDICT_PASS, "Its CPU is not tied to this host.");
}

static void check_hypervisor_bit(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"hypervisor disabled or KVM hidden", NEST_VERDICT_WARN,
        "The guest can see that it is a VM.",
        "The guest can't see that it is a VM: Windows starts its own hypervisor without what makes "
        "that fast.",
        "virsh edit: take out the feature hypervisor and kvm hidden, unless the guest needs them"};
    judge(check, view->domain->extras.hypervisor_hidden, &rule);
}

static void check_tsx(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"hle or rtm left on", NEST_VERDICT_INFO,
        "Transactional memory (TSX) is disabled.",
        "Transactional memory (TSX) is passed on where the CPU has it: some guests crash by it.",
        "for such guests: the features hle and rtm with policy disable"};
    static const Rule windows = {"hle or rtm left on, in Windows", NEST_VERDICT_WARN,
        "Transactional memory (TSX) is disabled.",
        "Transactional memory (TSX) is passed on where the CPU has it: Hyper-V in a VM crashes or "
        "hangs by it.",
        "virsh edit: the features hle and rtm with policy disable"};
    const NestDomainExtras *extras = &view->domain->extras;
    if (view->host != NULL && view->host->svm)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "CPUs of AMD have no TSX.");
    else if (view->host != NULL && view->host->cpuinfo_read && !view->host->tsx)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "The CPU of this host has no TSX, or the kernel has switched it off.");
    else
        judge(check, !extras->tsx_off, extras->hyperv.windows ? &windows : &rule);
}

static void check_invtsc(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"invtsc required or migratable off", NEST_VERDICT_INFO,
        "Nothing in its CPU keeps it from being moved.",
        "It is promised a steady time stamp counter: it can't be saved or moved.",
        "take out the feature invtsc and migratable='off'"};
    const NestDomainExtras *extras = &view->domain->extras;
    judge(check, extras->invtsc || extras->migratable_off, &rule);
}

static void check_vcpu_hotplug(const NestVmView *view, NestCheck *check)
{
    guint most = view->domain->vcpus, now = view->domain->extras.vcpus_now;
    now = now == 0 ? most : now;
    nest_check_read(check, "definition, vcpu: %u of %u", now, most);
    if (now >= most) {
        nest_check_say(check, NEST_VERDICT_PASS, "All its virtual CPUs are there from the start.");
        return;
    }
    nest_check_fix(check, "virsh setvcpus %s %u --config", view->facts->name, most);
    nest_check_say(check, NEST_VERDICT_WARN,
        "It has %u of %u virtual CPUs: one that is added later may stay off in inner VMs.", now,
        most);
}

static void check_mem_hotplug(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"maxMemory or memory devices", NEST_VERDICT_WARN,
        "Its memory can't be added to or taken away while it runs.",
        "Memory can be added and taken away while it runs: inner VMs do not bear that.",
        "virsh edit: take out maxMemory and the memory devices"};
    judge(check, view->domain->extras.memory_hotplug, &rule);
}

static void check_mem_backing(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"memory neither in huge pages nor locked", NEST_VERDICT_INFO,
        "Its memory is in huge pages or locked.",
        "Its memory is in ordinary pages: faults of inner VMs cost more than in huge pages.",
        "memoryBacking with hugepages, where the host reserves some"};
    const NestDomainExtras *extras = &view->domain->extras;
    judge(check, !extras->huge_pages && !extras->locked_memory, &rule);
}

static void check_launchsec(const NestVmView *view, NestCheck *check)
{
    const char *type = view->domain->extras.launch_security;
    nest_check_read(check, "definition, launchSecurity: %s", type != NULL ? type : "none");
    if (type == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "Its memory is not encrypted.");
        return;
    }
    nest_check_fix(check, "virsh edit: take out launchSecurity");
    nest_check_say(check, NEST_VERDICT_FAIL,
        "Its memory is encrypted (%s): such a VM can't host others.", type);
}

static void check_agent(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"no channel org.qemu.guest_agent.0", NEST_VERDICT_INFO,
        "It has a channel for the guest agent.",
        "It has no channel for the guest agent: nobody can ask the guest how it nests.",
        "add a channel of type unix with the target org.qemu.guest_agent.0"};
    judge(check, !view->domain->extras.agent, &rule);
}

static void check_vsock(const NestVmView *view, NestCheck *check)
{
    static const Rule rule = {"no vsock", NEST_VERDICT_INFO, "It has a vsock device.",
        "It has no vsock device: it can't be reached without its network.",
        "add a device vsock with cid auto"};
    judge(check, !view->domain->extras.vsock, &rule);
}

static void check_display(const NestVmView *view, NestCheck *check)
{
    const char *type = view->domain->extras.blank_display;
    nest_check_read(
        check, "definition, graphics with a blank passwd: %s", type != NULL ? type : "none");
    if (type == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "No display of it has a blank password.");
        return;
    }
    nest_check_fix(
        check, "virsh edit --domain %s: set passwd of graphics, or take it out", view->facts->name);
    nest_check_say(check, NEST_VERDICT_WARN,
        "The password of its display (%s) is blank: libvirt lets nobody in with that.", type);
}

// clang-format off
const NestVmCheckRow nest_checks_vm_guest[] = {
    {{"vm.state", "it is off", NEST_CHECK_NO_DOMAIN, NEST_VERDICT_INFO,
         "The state of the VM.",
         "A changed CPU takes effect when the VM was off.",
         "nestctl shutdown VM, before or while nestctl enable VM asks for it.",
         "Microsoft: Enable-NestedVm.ps1; nestd: docs/facts.md, F15"},
        check_state},
    {{"vm.cpu.portable", "its CPU is not tied to this host", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The mode of the cpu element.",
         "With host-passthrough or maximum a VM can only move to a host with the same CPU and "
         "kernel.",
         "Where VMs shall move: a named CPU model with the feature vmx or svm, which nothing "
         "enforces as well.",
         "libvirt: formatdomain, CPU model and topology; nestd: docs/facts.md, F16"},
        check_portable},
    {{"vm.cpu.hypervisor-bit", "the guest can see that it is a VM",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The CPU feature hypervisor, and hidden in the features of KVM.",
         "Windows that can't see a hypervisor starts its own without what makes that fast.",
         "Take both out of the definition, unless the guest needs them.",
         "libvirt: formatdomain, Hypervisor features"},
        check_hypervisor_bit},
    {{"vm.cpu.tsx", "transactional memory is disabled", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The CPU features hle and rtm.",
         "Hyper-V in a VM, among others, crashes or hangs by transactional memory on some CPUs.",
         "Add both features with policy disable.",
         "Linux: Documentation/admin-guide/hw-vuln/tsx_async_abort.rst"},
        check_tsx},
    {{"vm.cpu.invtsc", "its CPU lets it be moved", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The CPU feature invtsc, and the attribute migratable.",
         "A promised steady time stamp counter can't be kept on another host: QEMU refuses to "
         "save or move such a VM.",
         "Take the feature invtsc and migratable='off' out of the definition.",
         "libvirt: formatdomain, CPU model and topology"},
        check_invtsc},
    {{"vm.vcpu-hotplug", "all its virtual CPUs are there", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The attribute current of the vcpu element.",
         "A hypervisor in the VM may not take up a virtual CPU that comes later.",
         "virsh setvcpus VM N --config, with as many as the maximum.",
         "libvirt: formatdomain, CPU Allocation"},
        check_vcpu_hotplug},
    {{"vm.display", "its display has no blank password", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The attribute passwd of VNC and SPICE.",
         "A blank password is not none: the display is there, and every connection is refused.",
         "Set a password, or take the attribute out where the display may be open.",
         "libvirt: formatdomain, Graphical framebuffers"},
        check_display},
    {{"vm.mem.hotplug", "its memory does not come and go", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The element maxMemory, and memory devices.",
         "Memory that is taken away while inner VMs run hits them.",
         "Take maxMemory and the memory devices out of the definition.",
         "libvirt: formatdomain, Memory devices"},
        check_mem_hotplug},
    {{"vm.mem.backing", "its memory is in huge pages", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The elements hugepages and locked in memoryBacking.",
         "With huge pages a fault of an inner VM takes fewer steps through two sets of page "
         "tables.",
         "Reserve huge pages on the host and add memoryBacking with hugepages.",
         "libvirt: formatdomain, Memory Backing"},
        check_mem_backing},
    {{"vm.launchsec", "its memory is not encrypted", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The element launchSecurity.",
         "The memory of inner VMs can't be had from memory that is encrypted: SEV and TDX exclude "
         "nesting.",
         "Take launchSecurity out of the definition.",
         "libvirt: formatdomain, Launch Security"},
        check_launchsec},
    {{"vm.agent", "it has a channel for the guest agent", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "A channel with the target org.qemu.guest_agent.0.",
         "Only through it a guest can be asked whether nesting works inside.",
         "Add a channel of type unix with this target, and install qemu-guest-agent in the guest.",
         "libvirt: formatdomain, Channel"},
        check_agent},
    {{"vm.vsock", "it has a vsock device", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "A device vsock.",
         "Through it a guest can be reached whatever becomes of its network.",
         "Add a device vsock with cid auto.",
         "libvirt: formatdomain, Vsock"},
        check_vsock},
    {{NULL}, NULL},
};
// clang-format on
