/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-size.h"
#include <string.h>

/* How the host is set up: what makes nesting slow or less safe, or hits VMs that nest. */

#define LEAST_KIB (4 << 20) /* vm.mem.min */

/* How to judge a setting by its value alone. */
typedef struct {
    const char *odd; /* the values that do not pass, separated by blanks */
    NestVerdict verdict; /* of these */
    NestVerdict untrusted; /* the same where there are VMs that are not trusted; 0: as above */
    const char *good, *bad, *fix;
} Rule;

static gboolean is_odd(const char *value, const char *odd)
{
    g_auto(GStrv) values = g_strsplit(odd, " ", -1);
    return g_strv_contains((const char *const *)values, value);
}

/* FALSE, and the verdict is said, where there is no value. */
static gboolean have_value(const NestFact *fact, NestCheck *check)
{
    nest_check_read(check, "%s: %s", fact->path != NULL ? fact->path : "KVM module",
        fact->value != NULL ? fact->value : nest_check_or_unread(fact->error));
    if (fact->value != NULL)
        return TRUE;
    if (fact->missing || fact->path == NULL)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "The kernel of this host has no such setting, or its module is not loaded.");
    else
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "It could not be read: %s.",
            nest_check_or_unread(fact->error));
    return FALSE;
}

static void judge_fact(const NestFact *fact, NestCheck *check, const Rule *rule, gboolean distrust)
{
    if (!have_value(fact, check))
        return;
    gboolean odd = is_odd(fact->value, rule->odd);
    NestVerdict bad = distrust && rule->untrusted != 0 ? rule->untrusted : rule->verdict;
    if (odd)
        nest_check_fix(check, "%s", rule->fix);
    nest_check_say(check, odd ? bad : NEST_VERDICT_PASS, "%s", odd ? rule->bad : rule->good);
}

static void judge(const NestHostView *view, NestCheck *check, NestTuning tuning, const Rule *rule)
{
    judge_fact(&view->host->tuning.facts[tuning], check, rule, view->untrusted);
}

static void check_ept(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"N 0", NEST_VERDICT_WARN, 0, "KVM uses nested paging.",
        "KVM does not use nested paging: inner VMs are far too slow.",
        "load kvm_intel with ept=1, or kvm_amd with npt=1"};
    judge_fact(&view->host->slat_parameter, check, &rule, FALSE);
}

static void check_shadow_vmcs(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"N 0", NEST_VERDICT_WARN, 0, "KVM uses VMCS shadowing.",
        "VMCS shadowing is off or missing: each access of a VM to the state of its inner VM costs "
        "an exit.",
        "load kvm_intel with enable_shadow_vmcs=1; where it stays off, the CPU has none"};
    judge(view, check, NEST_TUNING_SHADOW_VMCS, &rule);
}

static void check_apicv(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"N 0", NEST_VERDICT_INFO, 0, "Interrupts reach VMs without exits.",
        "Virtual interrupts by hardware (APICv, AVIC) are off: interrupts cost exits.",
        "load kvm_intel with enable_apicv=1, or kvm_amd with avic=1"};
    judge(view, check, NEST_TUNING_APICV, &rule);
}

static void check_nx_hugepages(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"Y 1 force auto", NEST_VERDICT_INFO, 0,
        "KVM does not split huge pages that hold code.",
        "KVM splits huge pages that hold code: code of inner VMs is slower.",
        "leave it: it protects the host of what the CPU gets wrong"};
    judge(view, check, NEST_TUNING_NX_HUGE_PAGES, &rule);
}

static void check_haltpoll(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"0", NEST_VERDICT_INFO, 0, "KVM polls before it puts a VM to sleep.",
        "KVM does not poll before it puts a VM to sleep: waking inner VMs takes longer.",
        "echo 200000 > /sys/module/kvm/parameters/halt_poll_ns"};
    judge(view, check, NEST_TUNING_HALT_POLL, &rule);
}

static void check_splitlock(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"1", NEST_VERDICT_INFO, 0, "Split locks do not stall a VM.",
        "A guest that splits locks, as some Windows drivers do, is stalled.",
        "for such guests: sysctl kernel.split_lock_mitigate=0"};
    judge(view, check, NEST_TUNING_SPLIT_LOCK, &rule);
}

static void check_ignore_msrs(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"N 0", NEST_VERDICT_INFO, 0, "KVM ignores registers that it lacks.",
        "KVM faults on registers that it lacks, as a CPU does: ESXi and macOS may not boot in a "
        "VM.",
        "for such guests: echo 1 > /sys/module/kvm/parameters/ignore_msrs"};
    judge(view, check, NEST_TUNING_IGNORE_MSRS, &rule);
}

static void check_smt(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"1", NEST_VERDICT_INFO, NEST_VERDICT_WARN,
        "No two hyper-threads share a core.",
        "Hyper-threads are on: VMs on the same core can learn of each other.",
        "for VMs of people who don't trust each other: core scheduling (sched_core in qemu.conf, "
        "for "
        "nestd's own VMs in /var/lib/nestd/vm/etc/qemu.local.conf), or nosmt"};
    static const char *const scheduled[] = {"vcpus", "emulator", "full", NULL};
    const NestFact *smt = &view->host->tuning.facts[NEST_TUNING_SMT];
    gboolean own = view->caps != NULL && view->caps->uri != NULL &&
        g_str_has_prefix(view->caps->uri, "qemu:///embed");
    const NestFact *core =
        own ? &view->host->tuning.own_sched_core : &view->host->tuning.sched_core;
    judge(view, check, NEST_TUNING_SMT, &rule);
    if (g_strcmp0(smt->value, "1") != 0 || core->value == NULL ||
        !g_strv_contains(scheduled, core->value))
        return;
    nest_check_read(
        check, "%s: %s; %s: sched_core %s", smt->path, smt->value, core->path, core->value);
    g_clear_pointer(&check->fix, g_free);
    nest_check_say(check, NEST_VERDICT_PASS,
        "Hyper-threads are on, and core scheduling keeps VMs from sharing a core.");
}

static void check_ksm(const NestHostView *view, NestCheck *check)
{
    static const Rule rule = {"1", NEST_VERDICT_INFO, NEST_VERDICT_WARN,
        "Equal pages of VMs are not merged.",
        "Equal pages of VMs are merged: VMs can learn of each other's memory.",
        "for VMs of people who don't trust each other: echo 2 > /sys/kernel/mm/ksm/run"};
    judge(view, check, NEST_TUNING_KSM, &rule);
}

static void check_swap(const NestHostView *view, NestCheck *check)
{
    const NestFact *swaps = &view->host->tuning.swaps;
    if (!have_value(swaps, check))
        return;
    if (strcmp(swaps->value, "0 in use") == 0)
        nest_check_say(check, NEST_VERDICT_PASS, "Memory of VMs is never swapped out.");
    else if (g_str_has_suffix(swaps->value, "in memory"))
        nest_check_say(check, NEST_VERDICT_PASS,
            "Memory of VMs is swapped to compressed memory (zram) only, and stays off the disk.");
    else
        nest_check_say(check, NEST_VERDICT_INFO,
            "Memory of VMs, and of VMs in them, can be swapped out to disk.");
}

static void check_lockdown(const NestHostView *view, NestCheck *check)
{
    const NestFact *fact = &view->host->tuning.facts[NEST_TUNING_LOCKDOWN];
    if (!have_value(fact, check))
        return;
    if (strstr(fact->value, "[none]") != NULL)
        nest_check_say(check, NEST_VERDICT_PASS, "The kernel is not locked down.");
    else
        nest_check_say(check, NEST_VERDICT_INFO,
            "The kernel is locked down: registers of the CPU can be read, and not written.");
}

static void check_mitigations(const NestHostView *view, NestCheck *check)
{
    const NestHostTuning *tuning = &view->host->tuning;
    if (tuning->vulnerabilities.value == NULL) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "What this CPU is vulnerable to could not be read: %s.",
            nest_check_or_unread(tuning->vulnerabilities.error));
        return;
    }
    g_autofree char *list = g_strjoinv("; ", tuning->vulnerable);
    g_autofree char *unknown = g_strjoinv("; ", tuning->flaws_unknown);
    nest_check_read(check, "%s: %s%s%s%s%s", tuning->vulnerabilities.path,
        tuning->vulnerabilities.value, *list != '\0' ? "; " : "", list,
        *unknown != '\0' ? "; " : "", unknown);
    if (tuning->vulnerable[0] == NULL && *unknown == '\0') {
        nest_check_say(check, NEST_VERDICT_PASS, "The kernel guards against what it knows of.");
        return;
    }
    if (tuning->vulnerable[0] == NULL) {
        nest_check_fix(check,
            view->host->hypervisor
                ? "ask whoever runs the host below this VM whether it is guarded"
                : "ask the maker of the CPU: the kernel knows no guard for one this old");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Of some flaws the kernel itself can't tell whether they are guarded against: %s.",
            unknown);
        return;
    }
    nest_check_fix(check,
        "update the microcode and the kernel, and take mitigations=off out of its "
        "command line");
    nest_check_say(check, NEST_VERDICT_WARN,
        "The CPU is vulnerable to %u flaw%s that VMs may use, and nothing guards against it.",
        g_strv_length(tuning->vulnerable), g_strv_length(tuning->vulnerable) == 1 ? "" : "s");
}

static void check_hugepages(const NestHostView *view, NestCheck *check)
{
    const NestHostTuning *tuning = &view->host->tuning;
    const NestFact *fact = &tuning->facts[NEST_TUNING_HUGE_PAGES];
    gboolean reserved = tuning->meminfo.value != NULL && tuning->huge_pages_free > 0;
    if (!reserved && !have_value(fact, check))
        return;
    nest_check_read(check, "%s: %s; reserved and free: %" G_GUINT64_FORMAT, fact->path,
        nest_check_or_unread(fact->value), tuning->huge_pages_free);
    if (reserved || strstr(fact->value, "[never]") == NULL)
        nest_check_say(check, NEST_VERDICT_PASS, "VMs can have huge pages.");
    else
        nest_check_say(
            check, NEST_VERDICT_INFO, "VMs can't have huge pages: faults of inner VMs cost more.");
}

static void check_headroom(const NestHostView *view, NestCheck *check)
{
    const NestHostTuning *tuning = &view->host->tuning;
    if (tuning->meminfo.value == NULL) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "The memory that is available can't be told: %s.",
            nest_check_or_unread(tuning->meminfo.error));
        return;
    }
    g_autofree char *size = nest_size_text(tuning->available_kib);
    nest_check_read(check, "/proc/meminfo, MemAvailable: %s", size);
    if (tuning->available_kib >= LEAST_KIB) {
        nest_check_say(check, NEST_VERDICT_PASS, "%s of memory are available.", size);
        return;
    }
    nest_check_fix(check, "turn off what is not needed, or add memory");
    nest_check_say(check, NEST_VERDICT_WARN,
        "Only %s of memory are available: not even one VM that hosts others fits.", size);
}

static void check_tsc(const NestHostView *view, NestCheck *check)
{
    const NestFact *clock = &view->host->tuning.facts[NEST_TUNING_CLOCK];
    if (!have_value(clock, check))
        return;
    if (strcmp(clock->value, "tsc") == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "The clock is the CPU's time stamp counter.");
    } else if (view->host->hypervisor) {
        nest_check_say(check, NEST_VERDICT_INFO,
            "The clock is %s, of the hypervisor below this host.", clock->value);
    } else {
        nest_check_fix(check, "see why the kernel gave it up: dmesg | grep -i tsc");
        nest_check_say(check, NEST_VERDICT_WARN,
            "The clock is %s and not the CPU's time stamp counter: clocks of inner VMs are slow.",
            clock->value);
    }
}

/* As host fix sees it. */
static void check_guests_shutdown(const NestHostView *view, NestCheck *check)
{
    const NestFact *service = &view->host->tuning.guests;
    const NestFact *fact = &view->host->tuning.on_shutdown;
    const char *what = nest_host_guests_on_shutdown(service, fact);
    const char *path = fact->path != NULL
        ? fact->path
        : "libvirt-guests in /etc/default, /etc/sysconfig and /etc/conf.d";
    const char *unset = *nest_check_or_unread(fact->value) == '\0' ? "not set" : fact->value;
    nest_check_read(check, "%s: %s; libvirt-guests.service: %s", path,
        fact->missing             ? "not there"
            : fact->value != NULL ? unset
                                  : nest_check_or_unread(fact->error),
        service->value != NULL ? service->value : "not there");
    if (what == NULL && !fact->missing) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "%s could not be read: %s.", path,
            nest_check_or_unread(fact->error));
    } else if (what == NULL) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "There is no libvirt-guests on this host.");
    } else if (g_strcmp0(service->value, "disabled") == 0) {
        nest_check_say(check, NEST_VERDICT_INFO,
            "libvirt-guests is not enabled: nothing shuts VMs down, or saves them, with the host.");
    } else if (strcmp(what, "shutdown") == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "libvirt-guests shuts VMs down with the host.");
    } else {
        nest_check_fix(check, "nestctl host fix; by hand: ON_SHUTDOWN=shutdown in %s",
            fact->path != NULL ? fact->path : "its configuration, see libvirt-guests(8)");
        nest_check_say(check, NEST_VERDICT_WARN,
            "libvirt-guests saves VMs when the host goes down (%s%s), also those that host others.",
            what, fact->value == NULL || *fact->value == '\0' ? " by default" : "");
    }
}

// clang-format off
const NestHostCheckRow nest_checks_host_tuning[] = {
    {{"host.perf.ept", "KVM uses nested paging", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The parameter ept of kvm_intel, or npt of kvm_amd.",
         "Without it memory of inner VMs is far too slow to be of use.",
         "Load the module with ept=1 or npt=1.",
         "Linux: Documentation/admin-guide/kernel-parameters.txt"},
        check_ept},
    {{"host.perf.shadow-vmcs", "KVM uses VMCS shadowing", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The parameter enable_shadow_vmcs of kvm_intel.",
         "Without it a VM leaves for the host at each access to the state of its inner VM.",
         "Load kvm_intel with enable_shadow_vmcs=1; the CPU needs to have it.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        check_shadow_vmcs},
    {{"host.perf.apicv", "interrupts reach VMs without exits", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The parameter enable_apicv of kvm_intel, or avic of kvm_amd.",
         "Without it each interrupt costs an exit. Leave hv-avic out of VMs where it is off.",
         "Load the module with enable_apicv=1 or avic=1, where the CPU has it.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst; QEMU: "
         "system/i386/hyperv.rst"},
        check_apicv},
    {{"host.perf.nx-hugepages", "KVM leaves huge pages whole", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The parameter nx_huge_pages of kvm.",
         "On CPUs with the flaw iTLB multihit KVM splits huge pages that hold code, that of inner "
         "VMs too.",
         "Leave it on: it protects the host.",
         "Linux: Documentation/admin-guide/hw-vuln/multihit.rst"},
        check_nx_hugepages},
    {{"host.perf.haltpoll", "KVM polls before it sleeps", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The parameter halt_poll_ns of kvm.",
         "A short poll saves the long way of waking a VM, which inner VMs go twice.",
         "echo 200000 > /sys/module/kvm/parameters/halt_poll_ns.",
         "Linux: Documentation/virt/kvm/halt-polling.rst"},
        check_haltpoll},
    {{"host.perf.hugepages", "VMs can have huge pages", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "Transparent huge pages, and reserved ones that are free.",
         "With pages of 2 MiB a fault of an inner VM takes fewer steps through two sets of page "
         "tables.",
         "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, or reserve some.",
         "Linux: Documentation/admin-guide/mm/transhuge.rst"},
        check_hugepages},
    {{"host.perf.splitlock", "split locks do not stall a VM", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The setting kernel.split_lock_mitigate.",
         "A guest that splits locks is slowed down to a crawl, its inner VMs with it.",
         "For such guests: sysctl kernel.split_lock_mitigate=0.",
         "Linux: Documentation/admin-guide/sysctl/kernel.rst"},
        check_splitlock},
    {{"host.ignore-msrs", "KVM ignores registers that it lacks",
         NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The parameter ignore_msrs of kvm.",
         "ESXi and macOS ask for registers that KVM does not have, and stop at the fault.",
         "For such guests: load kvm with ignore_msrs=1.",
         "Linux: Documentation/admin-guide/kernel-parameters.txt"},
        check_ignore_msrs},
    {{"host.tsc", "the clock is the time stamp counter", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The clock that the kernel uses.",
         "VMs read the time stamp counter without an exit; of any other clock each level costs "
         "one.",
         "See dmesg for why the kernel gave the time stamp counter up.",
         "QEMU: system/i386/hyperv.rst"},
        check_tsc},
    {{"host.mem.headroom", "memory is available", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "MemAvailable in /proc/meminfo; 4 GiB are the least for a VM that hosts others.",
         "A host that runs out of memory kills VMs, and with them what runs in them.",
         "Turn off what is not needed, or add memory.",
         "Linux: Documentation/filesystems/proc.rst"},
        check_headroom},
    {{"host.mitigations", "the CPU's flaws are guarded against",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "What the kernel says in /sys/devices/system/cpu/vulnerabilities.",
         "A VM can use such a flaw to read memory of the host; nesting gives it more ways to.",
         "Update microcode and kernel, and take mitigations=off out of the kernel's command line.",
         "Linux: Documentation/admin-guide/hw-vuln/l1tf.rst; Firecracker: prod-host-setup.md"},
        check_mitigations},
    {{"host.smt", "VMs share no core", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether hyper-threads are in use, and whether sched_core in qemu.conf keeps VMs apart. "
         "With nestd's own VMs that is /var/lib/nestd/vm/etc/qemu.conf.",
         "Two VMs on one core can learn of each other; that matters where their owners don't "
         "trust each other, and warns where VMs are labelled untrusted.",
         "Core scheduling (sched_core in qemu.conf, libvirt 8.9 or later), or nosmt on the "
         "kernel's command line.",
         "Firecracker: prod-host-setup.md; libvirt: release notes of 8.9"},
        check_smt},
    {{"host.ksm", "pages of VMs are not merged", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the kernel merges equal pages: /sys/kernel/mm/ksm/run.",
         "By the time that a write takes, a VM can learn what another one holds in memory.",
         "echo 2 > /sys/kernel/mm/ksm/run.",
         "Firecracker: prod-host-setup.md"},
        check_ksm},
    {{"host.swap", "memory of VMs stays in memory", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The swap areas in /proc/swaps.",
         "Memory of VMs that is swapped out is on the disk, and slow to come back.",
         "swapoff -a where that matters, or swap to an encrypted area.",
         "Firecracker: prod-host-setup.md"},
        check_swap},
    {{"host.lockdown", "the kernel is not locked down", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The state in /sys/kernel/security/lockdown.",
         "A kernel that is locked down lets nobody write registers of the CPU or load modules that "
         "are not signed. Reading registers, by which host.bios.lock goes, is allowed.",
         "Leave it: nestd writes none.",
         "kernel_lockdown(7)"},
        check_lockdown},
    {{"host.guests-shutdown", "VMs are shut down with the host",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "ON_SHUTDOWN in the configuration of libvirt-guests, and whether its service is enabled. "
         "Where nothing is set it is suspend, with Debian and Ubuntu shutdown.",
         "With suspend every VM is saved when the host goes down. A VM that hosts others may not "
         "come back from that.",
         "ON_SHUTDOWN=shutdown in /etc/sysconfig/libvirt-guests, with Debian and Ubuntu "
         "/etc/default/libvirt-guests; make it where there is none.",
         "libvirt: libvirt-guests(8); nestd: docs/facts.md, F22"},
        check_guests_shutdown},
    {{NULL}, NULL},
};
// clang-format on
