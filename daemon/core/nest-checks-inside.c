/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-record.h"
#include "nest-size.h"
#include <string.h>

/* What is inside the guest, and first of all whether it can be asked. */

#define LEAST_MEMORY_KIB (1 << 20)
#define LEAST_DISK_KIB (10 << 20)

/* FALSE, and the verdict is said, where the guest did not tell. */
static gboolean answered(NestAnswer answer, NestCheck *check, const char *what)
{
    nest_check_read(check, "guest, %s: %s", what,
        answer == NEST_ANSWER_UNREAD    ? "not told"
            : answer == NEST_ANSWER_YES ? "yes"
                                        : "no");
    if (answer != NEST_ANSWER_UNREAD)
        return TRUE;
    nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
    return FALSE;
}

static void check_agent(const NestGuestView *view, NestCheck *check)
{
    static const struct {
        const char *read, *bad, *fix;
    } rows[] = {
        [NEST_AGENT_ANSWERS] = {"answers", NULL, NULL},
        [NEST_AGENT_ABSENT] = {"not there", "No agent has opened its channel in the guest.",
            "install qemu-guest-agent in the guest, and start it"},
        [NEST_AGENT_UNSYNCED] = {"does not answer",
            "The agent has opened its channel and does not answer: the guest is busy or it hangs.",
            "look at the guest's console; restart qemu-guest-agent in the guest"},
        [NEST_AGENT_FAILED] = {"answers, and a command failed",
            "The agent answers, but a command that it was given failed or took too long.",
            "see the log of qemu-guest-agent in the guest"},
    };
    const NestGuestFacts *facts = view->facts;
    nest_check_read(check, "guest agent: %s%s%s", rows[facts->agent].read,
        facts->agent_error != NULL ? ": " : "",
        facts->agent_error != NULL ? facts->agent_error : "");
    if (facts->agent == NEST_AGENT_ANSWERS) {
        nest_check_say(check, NEST_VERDICT_PASS, "The guest agent answers.");
        return;
    }
    nest_check_fix(check, "%s", rows[facts->agent].fix);
    nest_check_say(check, NEST_VERDICT_WARN, "%s", rows[facts->agent].bad);
}

static void check_exec(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    if (!answered(facts->exec, check, "guest-exec"))
        return;
    if (facts->exec == NEST_ANSWER_YES) {
        nest_check_say(check, NEST_VERDICT_PASS, "The agent runs commands.");
        return;
    }
    nest_check_fix(check,
        "in the guest, take guest-exec out of block-rpcs, or add it to "
        "allow-rpcs, of qemu-ga.conf or /etc/sysconfig/qemu-ga");
    nest_check_say(check, NEST_VERDICT_FAIL, "The agent is told not to run commands%s%s.",
        facts->exec_setting != NULL ? ": " : "",
        facts->exec_setting != NULL ? facts->exec_setting : "");
}

static void check_os(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    nest_check_read(check, "guest: %s", facts->os != NULL ? facts->os : "not told");
    if (facts->kind == NEST_GUEST_UNREAD)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest does not say what it runs.");
    else if (facts->kind == NEST_GUEST_OTHER)
        nest_check_say(check, NEST_VERDICT_INFO,
            "It runs %s: nestd knows Linux and Windows from inside.",
            facts->os != NULL ? facts->os : "another system");
    else
        nest_check_say(check, NEST_VERDICT_PASS, "It runs %s.",
            facts->os != NULL                     ? facts->os
                : facts->kind == NEST_GUEST_LINUX ? "Linux"
                                                  : "Windows");
}

static void check_reboot(const NestGuestView *view, NestCheck *check)
{
    if (!answered(view->facts->reboot_pending, check, "a reboot is pending"))
        return;
    if (view->facts->reboot_pending == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_PASS, "The guest does not wait for a reboot.");
        return;
    }
    nest_check_fix(check, "reboot the guest");
    nest_check_say(check, NEST_VERDICT_WARN,
        "The guest waits for a reboot: what was installed in it is not in effect.");
}

static void check_password(const NestGuestView *view, NestCheck *check)
{
    if (!answered(view->facts->blank_password, check, "the administrator has a blank password"))
        return;
    if (view->facts->blank_password == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_PASS, "The administrator has no blank password.");
        return;
    }
    nest_check_fix(check, "in the guest: passwd root, or passwd -l root");
    nest_check_say(check, NEST_VERDICT_WARN,
        "The administrator of the guest has a blank password: whoever reaches its console is in.");
}

/* Without a plan for an inner VM this is what a small one takes. */
static void judge_room(
    NestCheck *check, const char *what, guint64 kib, guint64 least, const char *fix)
{
    g_autofree char *size = nest_size_text(kib);
    nest_check_read(check, "guest, %s: %s", what, kib != 0 ? size : "not told");
    if (kib == 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
    } else if (kib >= least) {
        nest_check_say(check, NEST_VERDICT_PASS, "The guest has %s of %s.", size, what);
    } else {
        nest_check_fix(check, "%s", fix);
        nest_check_say(check, NEST_VERDICT_WARN,
            "The guest has only %s of %s: hardly any inner VM fits.", size, what);
    }
}

static void check_mem(const NestGuestView *view, NestCheck *check)
{
    judge_room(check, "available memory", view->facts->memory_kib, LEAST_MEMORY_KIB,
        "give the VM more memory, or run less in it");
}

static void check_disk(const NestGuestView *view, NestCheck *check)
{
    judge_room(check, "free disk space", view->facts->disk_kib, LEAST_DISK_KIB,
        "give the VM a larger disk, or remove what is not needed");
}

static void check_cpuflag(const NestGuestView *view, NestCheck *check)
{
    if (!answered(view->facts->cpu_flag, check, "/proc/cpuinfo, flag vmx or svm"))
        return;
    if (view->facts->cpu_flag == NEST_ANSWER_YES) {
        nest_check_say(check, NEST_VERDICT_PASS, "The guest's CPU has the extension.");
        return;
    }
    nest_check_fix(check, "see the checks of the VM and of the host; then turn the VM off and on");
    nest_check_say(check, NEST_VERDICT_FAIL, "The guest's CPU does not have the extension.");
}

static void check_kvm_module(const NestGuestView *view, NestCheck *check)
{
    static const char *const texts[] = {"not told", "loaded", "refused", "not found", "not loaded"};
    NestGuestModule module = view->facts->module;
    nest_check_read(check, "guest, module kvm_intel or kvm_amd: %s", texts[module]);
    switch (module) {
    case NEST_GUEST_MODULE_UNREAD:
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
        return;
    case NEST_GUEST_MODULE_LOADED:
        nest_check_say(check, NEST_VERDICT_PASS, "KVM is loaded in the guest.");
        return;
    case NEST_GUEST_MODULE_REFUSED:
        nest_check_fix(check, "see guest.cpuflag; dmesg in the guest says more");
        nest_check_say(check, NEST_VERDICT_FAIL,
            "KVM's module refuses to load in the guest: it finds no extension, or it is locked.");
        return;
    case NEST_GUEST_MODULE_ABSENT:
        nest_check_fix(check, "install a kernel with KVM in the guest: cloud kernels may lack it");
        nest_check_say(
            check, NEST_VERDICT_FAIL, "The kernel of the guest comes without KVM's module.");
        return;
    case NEST_GUEST_MODULE_IDLE:
        nest_check_fix(check, "in the guest: modprobe kvm_intel or kvm_amd; it says why it fails");
        nest_check_say(check, NEST_VERDICT_FAIL,
            "The guest has KVM's module, and nothing has loaded it: see guest.cpuflag.");
        return;
    }
}

static void check_kvm_dev(const NestGuestView *view, NestCheck *check)
{
    static const char *const texts[] = {"not told", "usable", "permission denied", "not there"};
    NestGuestDevice device = view->facts->kvm;
    nest_check_read(check, "guest, /dev/kvm: %s", texts[device]);
    if (device == NEST_GUEST_DEVICE_UNREAD) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
    } else if (device == NEST_GUEST_DEVICE_USABLE) {
        nest_check_say(check, NEST_VERDICT_PASS, "VMs in the guest can use /dev/kvm.");
    } else if (device == NEST_GUEST_DEVICE_DENIED) {
        nest_check_fix(check, "in the guest, put who runs VMs in the group kvm");
        nest_check_say(
            check, NEST_VERDICT_FAIL, "/dev/kvm is there in the guest, and may not be opened.");
    } else {
        nest_check_fix(check, "see guest.kvm-module");
        nest_check_say(check, NEST_VERDICT_FAIL, "There is no /dev/kvm in the guest.");
    }
}

/* FALSE, and the verdict is said, where list is not known. */
static gboolean have_list(
    const NestGuestFacts *facts, GStrv list, NestCheck *check, const char *what)
{
    g_autofree char *text = list != NULL ? g_strjoinv("; ", list) : NULL;
    nest_check_read(check, "guest, %s: %s", what,
        text == NULL        ? "not told"
            : *text == '\0' ? "nothing"
                            : text);
    if (list != NULL)
        return TRUE;
    if (facts->libvirt == NEST_ANSWER_NO)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "The guest has no libvirt to ask.");
    else
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
    return FALSE;
}

static void check_validate(const NestGuestView *view, NestCheck *check)
{
    GStrv lines = view->facts->validate;
    if (!have_list(view->facts, lines, check, "virt-host-validate"))
        return;
    if (lines[0] == NULL)
        nest_check_say(check, NEST_VERDICT_PASS, "virt-host-validate is content in the guest.");
    else
        nest_check_say(check, NEST_VERDICT_INFO, "virt-host-validate complains in the guest: %s%s.",
            lines[0], lines[1] != NULL ? ", and more" : "");
}

static void check_tcg(const NestGuestView *view, NestCheck *check)
{
    GStrv domains = view->facts->tcg_domains;
    if (!have_list(view->facts, domains, check, "inner VMs of type qemu"))
        return;
    if (domains[0] == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "No inner VM is emulated.");
        return;
    }
    nest_check_fix(check, "in the guest, change their type to kvm");
    nest_check_say(check, NEST_VERDICT_WARN,
        "%u inner VM%s, %s for one, %s emulated: that is not nesting, and slow.",
        g_strv_length(domains), domains[1] != NULL ? "s" : "", domains[0],
        domains[1] != NULL ? "are" : "is");
}

static void check_default_net(const NestGuestView *view, NestCheck *check)
{
    if (view->facts->libvirt == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "The guest has no libvirt to ask.");
        return;
    }
    if (!answered(view->facts->default_net, check, "libvirt's network default is active"))
        return;
    if (view->facts->default_net == NEST_ANSWER_YES) {
        nest_check_say(check, NEST_VERDICT_PASS, "Inner VMs have a network.");
        return;
    }
    nest_check_fix(check,
        "in the guest, give the network default a subnet that is free on all "
        "levels, then: virsh net-start default");
    nest_check_say(check, NEST_VERDICT_WARN,
        "libvirt's network default is not active in the guest: inner VMs have none.");
}

static void check_l3(const NestGuestView *view, NestCheck *check)
{
    const char *nested = view->facts->nested;
    nest_check_read(
        check, "guest, parameter nested of KVM's module: %s", nested != NULL ? nested : "not told");
    NestGuestModule module = view->facts->module;
    gboolean loaded = module == NEST_GUEST_MODULE_LOADED || module == NEST_GUEST_MODULE_UNREAD;
    if (nested == NULL && loaded)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
    else if (nested == NULL)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "KVM is not loaded in the guest.");
    else if (strcmp(nested, "Y") == 0 || strcmp(nested, "1") == 0)
        nest_check_say(check, NEST_VERDICT_INFO,
            "Inner VMs can host VMs themselves: a third level works, and is slow.");
    else
        nest_check_say(check, NEST_VERDICT_PASS, "Inner VMs can't host VMs themselves.");
}

// clang-format off
const NestGuestCheckRow nest_checks_guest_linux[] = {
    {{"guest.agent", "the guest agent answers", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the guest agent answers; and where not, whether it is missing, hangs, or failed "
         "at a command.",
         "Without it nobody can see from outside whether nesting works inside.",
         "Install qemu-guest-agent in the guest and start it.",
         "libvirt: release notes of 11.2.0; QEMU: interop/qemu-ga.rst"},
        NEST_GUEST_NEEDS_NOTHING, check_agent},
    {{"guest.exec", "the agent runs commands", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether the agent allows guest-exec.",
         "What the guest can do is found out by commands in it; some distributions forbid them.",
         "In the guest, take guest-exec out of block-rpcs or add it to allow-rpcs.",
         "QEMU: interop/qemu-ga.rst"},
        NEST_GUEST_NEEDS_AGENT, check_exec},
    {{"guest.os", "the guest's system is known", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "What the guest says that it runs.",
         "Linux and Windows are looked at in different ways.",
         "Nothing: other systems nest as well, but nestd does not look into them.",
         "QEMU: interop/qemu-ga-ref, guest-get-osinfo"},
        NEST_GUEST_NEEDS_AGENT, check_os},
    {{"guest.reboot-pending", "the guest waits for no reboot", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the guest's system waits for a reboot.",
         "A kernel, a driver or a role that was installed is in effect after it only.",
         "Reboot the guest; its inner VMs go down with it.",
         "Microsoft: Win32_OperatingSystem; Debian: /run/reboot-required"},
        NEST_GUEST_NEEDS_EXEC, check_reboot},
    {{"guest.password", "the administrator has no blank password", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The password field of root in /etc/passwd and /etc/shadow; in Windows whether the built-in "
         "administrator is disabled, for whether its password is blank can't be asked there.",
         "With a blank password whoever reaches a console of the guest has all its inner VMs; and "
         "many services let nobody in without a password.",
         "In the guest, set a password or lock the account.",
         "Linux: shadow(5); Microsoft: Win32_UserAccount"},
        NEST_GUEST_NEEDS_EXEC, check_password},
    {{"guest.mem", "inner VMs have memory", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The memory that is available in the guest; 1 GiB is the least.",
         "An inner VM takes its memory from the guest.",
         "Give the VM more memory.",
         "Linux: Documentation/filesystems/proc.rst"},
        NEST_GUEST_NEEDS_EXEC, check_mem},
    {{"guest.disk", "inner VMs have disk space", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The disk space that is free where images of inner VMs are kept; 10 GiB are the least.",
         "A full disk stops every inner VM that writes.",
         "Give the VM a larger disk.",
         "nestd"},
        NEST_GUEST_NEEDS_EXEC, check_disk},
    {{"guest.cpuflag", "the guest's CPU has the extension", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The flag vmx or svm in the guest's /proc/cpuinfo.",
         "This is the proof: whatever the definition says, the guest sees what it got.",
         "See the checks of the VM and of the host; then turn the VM off and start it.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        NEST_GUEST_NEEDS_LINUX, check_cpuflag},
    {{"guest.kvm-module", "KVM is loaded in the guest", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether kvm_intel or kvm_amd is loaded in the guest; and where not, whether it refused to "
         "be, or the kernel comes without it.",
         "A module that refuses found no extension, or one that firmware has locked.",
         "Bring the extension in, or install another kernel.",
         "Linux: arch/x86/kvm"},
        NEST_GUEST_NEEDS_LINUX, check_kvm_module},
    {{"guest.kvm-dev", "/dev/kvm can be used in the guest", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether /dev/kvm is there in the guest and may be opened.",
         "Every inner VM on KVM needs it.",
         "In the guest, put who runs VMs in the group kvm.",
         "Linux: Documentation/virt/kvm/api.rst, 4.1"},
        NEST_GUEST_NEEDS_LINUX, check_kvm_dev},
    {{"guest.validate", "virt-host-validate is content", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "What virt-host-validate says in the guest.",
         "It looks at more than nesting; it does not look at nesting as such.",
         "See what it says; an IOMMU is needed for devices of the guest only.",
         "libvirt: virt-host-validate(1)"},
        NEST_GUEST_NEEDS_LINUX, check_validate},
    {{"guest.tcg", "no inner VM is emulated", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The type of the inner VMs that the guest's libvirt has.",
         "Type qemu runs without the extension: it works everywhere and is many times slower.",
         "In the guest, change their type to kvm.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        NEST_GUEST_NEEDS_LINUX, check_tcg},
    {{"guest.default-net", "inner VMs have a network", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Whether the network default of the guest's libvirt is active.",
         "With the subnet of the outer network it does not start, and inner VMs have none.",
         "In the guest, give it a subnet that is free on all levels, and start it.",
         "libvirt: formatnetwork"},
        NEST_GUEST_NEEDS_LINUX, check_default_net},
    {{"guest.l3", "inner VMs host no VMs", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The parameter nested of the guest's KVM module.",
         "Each further level is slower than the one before.",
         "Nothing; nested=0 in the guest switches it off.",
         "Linux: Documentation/virt/kvm/x86/running-nested-guests.rst"},
        NEST_GUEST_NEEDS_LINUX, check_l3},
    {{NULL}, 0, NULL},
};
// clang-format on
