/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include <string.h>

/* What is inside a guest that runs Windows. */

/* Windows 10 and Server 2016 previews learned to nest with this one. */
#define FIRST_BUILD 10565

static gboolean is_known(gboolean known, NestCheck *check)
{
    if (!known)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "The guest did not tell.");
    return known;
}

static const char *answer_text(NestAnswer answer)
{
    static const char *const texts[] = {"not told", "no", "yes"};
    return texts[answer];
}

/* TRUE if one of the features that bring inner VMs is enabled. */
static gboolean has_role(const NestGuestFacts *facts)
{
    return facts->hyperv == NEST_ANSWER_YES || facts->platform == NEST_ANSWER_YES;
}

static gboolean is_role_known(const NestGuestFacts *facts)
{
    return has_role(facts) || facts->hyperv != NEST_ANSWER_UNREAD;
}

/* Whether Windows starts its hypervisor: for a role, or for virtualization-based security alone. */
static NestAnswer wants_hypervisor(const NestGuestFacts *facts)
{
    if (has_role(facts) || facts->vbs == NEST_ANSWER_YES)
        return NEST_ANSWER_YES;
    return is_role_known(facts) && facts->vbs == NEST_ANSWER_NO ? NEST_ANSWER_NO
                                                                : NEST_ANSWER_UNREAD;
}

/* Its definition does not even show that it runs Windows. */
static gboolean vm_has_no_profile(const NestVm *vm)
{
    for (guint i = 0; vm->accel == NEST_ACCEL_KVM && i < vm->checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(vm->checks, i);
        if (strcmp(check->id, "vm.hv.profile") == 0)
            return check->verdict == NEST_VERDICT_NOT_APPLICABLE;
    }
    return FALSE;
}

static gboolean vm_check_is_bad(const NestVm *vm, const char *prefix)
{
    for (guint i = 0; i < vm->checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(vm->checks, i);
        if (g_str_has_prefix(check->id, prefix) && check->verdict >= NEST_VERDICT_WARN)
            return TRUE;
    }
    return FALSE;
}

static void check_build(const NestGuestView *view, NestCheck *check)
{
    guint build = view->facts->build;
    nest_check_read(check, "guest, build: %u", build);
    if (!is_known(build != 0, check))
        return;
    if (build >= FIRST_BUILD) {
        nest_check_say(check, NEST_VERDICT_PASS, "This Windows can nest.");
        return;
    }
    nest_check_fix(check, "use Windows 10, Windows Server 2016 or later in the VM");
    nest_check_say(
        check, NEST_VERDICT_FAIL, "Build %u of Windows is too old: Hyper-V can't nest.", build);
}

static void check_edition(const NestGuestView *view, NestCheck *check)
{
    const char *edition = view->facts->edition;
    nest_check_read(check, "guest, EditionID: %s", edition != NULL ? edition : "not told");
    if (!is_known(edition != NULL, check))
        return;
    /* Home is Core, CoreN, CoreSingleLanguage, CoreCountrySpecific */
    if (!g_str_has_prefix(edition, "Core")) {
        nest_check_say(check, NEST_VERDICT_PASS, "This edition has the role Hyper-V.");
        return;
    }
    nest_check_fix(check, "use Pro, Enterprise, Education or Server; WSL 2 works in Home too");
    nest_check_say(check, NEST_VERDICT_FAIL, "Windows Home has no role Hyper-V.");
}

static void check_role(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    nest_check_read(check, "guest, features: Microsoft-Hyper-V %s, VirtualMachinePlatform %s",
        answer_text(facts->hyperv), answer_text(facts->platform));
    if (!is_known(is_role_known(facts), check))
        return;
    if (has_role(facts)) {
        nest_check_say(check, NEST_VERDICT_PASS, "%s is enabled.",
            facts->hyperv == NEST_ANSWER_YES ? "The role Hyper-V" : "The virtual machine platform");
        return;
    }
    nest_check_fix(check,
        "in the guest, as administrator: Enable-WindowsOptionalFeature -Online "
        "-FeatureName Microsoft-Hyper-V -All; then reboot it");
    nest_check_say(check, NEST_VERDICT_WARN,
        "Neither Hyper-V nor the virtual machine platform is enabled: nothing nests in it.");
}

static void check_hypervisor(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    nest_check_read(check, "guest, HypervisorPresent: %s; started by Windows: %s",
        answer_text(facts->hypervisor), answer_text(facts->own_hypervisor));
    NestAnswer wanted = wants_hypervisor(facts);
    if (wanted == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "Windows has no reason to start its hypervisor: see win.role.");
        return;
    }
    if (!is_known(wanted == NEST_ANSWER_YES && facts->hypervisor != NEST_ANSWER_UNREAD, check))
        return;
    /* KVM alone makes HypervisorPresent true. */
    if (facts->hypervisor == NEST_ANSWER_YES && facts->own_hypervisor == NEST_ANSWER_UNREAD) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "A hypervisor is there, but it may be that of the host: whether Windows started its "
            "own can't be told.");
    } else if (facts->hypervisor == NEST_ANSWER_YES && facts->own_hypervisor == NEST_ANSWER_YES) {
        nest_check_say(check, NEST_VERDICT_PASS, "Windows has started its hypervisor.");
    } else {
        nest_check_fix(check, "see win.launchtype, then reboot the guest");
        nest_check_say(check, NEST_VERDICT_FAIL,
            "Windows has reason to start its hypervisor, and has not started it.");
    }
}

static void check_launchtype(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    const char *type = facts->launch_type;
    nest_check_read(check, "guest, bcdedit: hypervisorlaunchtype %s, OFFERNESTEDVIRT=FALSE: %s",
        type != NULL ? type : "not told", answer_text(facts->nested_refused));
    if (facts->nested_refused == NEST_ANSWER_YES) {
        nest_check_fix(check, "in the guest: bcdedit /deletevalue hypervisorloadoptions");
        nest_check_say(
            check, NEST_VERDICT_FAIL, "Hyper-V in the guest is told not to offer nesting.");
        return;
    }
    if (!is_known(type != NULL, check))
        return;
    if (g_ascii_strcasecmp(type, "auto") == 0) {
        nest_check_say(check, NEST_VERDICT_PASS, "Windows starts its hypervisor when it boots.");
        return;
    }
    nest_check_fix(check, "in the guest: bcdedit /set hypervisorlaunchtype auto; then reboot it");
    nest_check_say(
        check, NEST_VERDICT_FAIL, "Windows is told not to start its hypervisor (%s).", type);
}

static void check_vbs(const NestGuestView *view, NestCheck *check)
{
    NestAnswer vbs = view->facts->vbs;
    nest_check_read(check, "guest, virtualization-based security runs: %s", answer_text(vbs));
    if (!is_known(vbs != NEST_ANSWER_UNREAD, check))
        return;
    if (vbs == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_PASS, "Virtualization-based security does not run.");
        return;
    }
    nest_check_fix(check,
        "accept it, or turn memory integrity and Credential Guard off in the "
        "guest, and reboot it");
    nest_check_say(check, NEST_VERDICT_WARN,
        "Virtualization-based security runs: it uses the extension all the time, slows Windows "
        "down, and keeps the VM from being saved.");
}

static void check_vbs_efi(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    nest_check_read(check, "guest, secure boot: %s; event 124 after the last boot: %s",
        answer_text(facts->secure_boot), answer_text(facts->event_124));
    if (facts->secure_boot == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "Without secure boot nothing of it is kept in the firmware.");
        return;
    }
    if (!is_known(facts->event_124 != NEST_ANSWER_UNREAD, check))
        return;
    if (facts->event_124 == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_PASS, "The firmware holds nothing back.");
        return;
    }
    nest_check_fix(check,
        "follow Microsoft's steps for Device Guard: SecConfig.efi, at the boot "
        "of the guest");
    nest_check_say(check, NEST_VERDICT_WARN,
        "Variables of Device Guard are left in the firmware: security that was turned off stays "
        "on.");
}

static void check_vid(const NestGuestView *view, NestCheck *check)
{
    NestAnswer vid = view->facts->vid;
    nest_check_read(
        check, "guest, Hyper-V Virtualization Infrastructure Driver: %s", answer_text(vid));
    if (!has_role(view->facts) && is_role_known(view->facts)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "Hyper-V is not enabled.");
        return;
    }
    if (!is_known(has_role(view->facts) && vid != NEST_ANSWER_UNREAD, check))
        return;
    if (vid == NEST_ANSWER_YES) {
        nest_check_say(check, NEST_VERDICT_PASS, "The driver under Hyper-V's VMs works.");
        return;
    }
    nest_check_fix(check, "in the guest's device manager, under system devices, enable it");
    nest_check_say(check, NEST_VERDICT_FAIL,
        "Hyper-V's infrastructure driver is disabled: no inner VM starts.");
}

static void check_boot_risk(const NestGuestView *view, NestCheck *check)
{
    const NestGuestFacts *facts = view->facts;
    NestAnswer wanted = wants_hypervisor(facts);
    gboolean poor = vm_has_no_profile(view->vm) || vm_check_is_bad(view->vm, "vm.hv.profile") ||
        vm_check_is_bad(view->vm, "vm.cpu.hypervisor-bit");
    nest_check_read(check, "guest, hypervisor wanted: %s; definition, enlightenments: %s",
        answer_text(wanted), poor ? "missing" : "nothing is missing");
    if (wanted == NEST_ANSWER_NO) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "Windows has no hypervisor to start at a boot.");
    } else if (wanted == NEST_ANSWER_UNREAD) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether Windows starts a hypervisor at the next boot can't be told.");
    } else if (!poor) {
        nest_check_say(
            check, NEST_VERDICT_PASS, "The VM has what Windows' hypervisor needs to boot.");
    } else if (facts->own_hypervisor == NEST_ANSWER_YES) {
        nest_check_fix(check, "see vm.hv.profile");
        nest_check_say(check, NEST_VERDICT_WARN,
            "Windows' hypervisor runs, though the VM lacks what it counts on: see vm.hv.profile.");
    } else {
        nest_check_fix(check,
            "see vm.hv.profile and mend the VM before the guest is rebooted; take a "
            "snapshot of its disks first");
        nest_check_say(check, NEST_VERDICT_FAIL,
            "The next boot starts Windows' hypervisor in a VM that lacks what it counts on: boot "
            "loops have been seen.");
    }
}

static void check_amd_wsl(const NestGuestView *view, NestCheck *check)
{
    NestAnswer wsl = view->facts->wsl;
    nest_check_read(check, "guest, WSL 2: %s; extension: %s", answer_text(wsl),
        view->vm->extension == NEST_EXTENSION_SVM ? "AMD-V" : "not AMD-V");
    if (view->vm->extension != NEST_EXTENSION_SVM) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "This is about AMD only.");
        return;
    }
    if (!is_known(wsl != NEST_ANSWER_UNREAD, check))
        return;
    if (wsl == NEST_ANSWER_NO) {
        nest_check_say(check, NEST_VERDICT_PASS, "WSL 2 is not in use.");
        return;
    }
    nest_check_fix(check, "use the newest kernel and QEMU; where it fails, WSL 1");
    nest_check_say(
        check, NEST_VERDICT_WARN, "WSL 2 on AMD-V in a VM is reported not to start on some hosts.");
}

// clang-format off
const NestGuestCheckRow nest_checks_guest_windows[] = {
    {{"win.build", "this Windows can nest", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The build of Windows; 10565 is the first whose Hyper-V nests.",
         "An older one does not make use of the extension for VMs in VMs.",
         "Use Windows 10, Windows Server 2016 or later.",
         "Microsoft: Get-NestedVirtStatus.ps1"},
        NEST_GUEST_NEEDS_WINDOWS, check_build},
    {{"win.edition", "this edition has Hyper-V", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The edition of Windows.",
         "Home has no role Hyper-V; WSL 2 and its platform work there all the same.",
         "Use Pro, Enterprise, Education or Server.",
         "Microsoft: Hyper-V system requirements"},
        NEST_GUEST_NEEDS_WINDOWS, check_edition},
    {{"win.role", "Hyper-V is enabled", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The features Microsoft-Hyper-V and VirtualMachinePlatform.",
         "Without one of them nothing in Windows uses the extension.",
         "Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All, then reboot "
         "the guest.",
         "Microsoft: Get-NestedVirtStatus.ps1"},
        NEST_GUEST_NEEDS_WINDOWS, check_role},
    {{"win.hypervisor", "Windows has started its hypervisor", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "HypervisorPresent, and whether Windows noted the start of its own hypervisor: in a VM on "
         "KVM the first alone is always true.",
         "With the role enabled and no hypervisor started, no inner VM runs.",
         "bcdedit /set hypervisorlaunchtype auto, then reboot the guest.",
         "Microsoft: Win32_ComputerSystem; Get-NestedVirtStatus.ps1"},
        NEST_GUEST_NEEDS_WINDOWS, check_hypervisor},
    {{"win.launchtype", "Windows may start its hypervisor", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "hypervisorlaunchtype and hypervisorloadoptions in the boot configuration.",
         "With off the hypervisor is not started; with OFFERNESTEDVIRT=FALSE it does not nest.",
         "bcdedit /set hypervisorlaunchtype auto, then reboot the guest.",
         "Microsoft: Get-NestedVirtStatus.ps1"},
        NEST_GUEST_NEEDS_WINDOWS, check_launchtype},
    {{"win.vbs", "virtualization-based security is off", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The status in Win32_DeviceGuard.",
         "It is a user of nesting itself: the VM counts as one that hosts others, always.",
         "Accept it, or turn memory integrity and Credential Guard off.",
         "Microsoft: Get-NestedVirtStatus.ps1, Win32_DeviceGuard"},
        NEST_GUEST_NEEDS_WINDOWS, check_vbs},
    {{"win.vbs-efi", "the firmware holds no security back", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Secure boot, and event 124 after the last boot.",
         "Settings of Device Guard that were locked in the firmware stay when they are turned off.",
         "Microsoft's steps with SecConfig.efi.",
         "Microsoft: Get-NestedVirtStatus.ps1"},
        NEST_GUEST_NEEDS_WINDOWS, check_vbs_efi},
    {{"win.vid", "Hyper-V's driver works", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The device Hyper-V Virtualization Infrastructure Driver.",
         "Every inner VM needs it.",
         "Enable it in the guest's device manager.",
         "WSL issue 41635"},
        NEST_GUEST_NEEDS_WINDOWS, check_vid},
    {{"win.boot-risk", "the next boot is safe", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "Whether Windows is to start its hypervisor, in a VM that lacks enlightenments or hides "
         "that it is a VM.",
         "Windows has been seen to boot in a loop, or to begin to repair itself.",
         "Mend the VM before the guest is rebooted, and keep a snapshot of its disks.",
         "QEMU issue 3215; dockur/windows issues 265 and 1191"},
        NEST_GUEST_NEEDS_WINDOWS, check_boot_risk},
    {{"win.amd-wsl", "WSL 2 is not on AMD", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "WSL 2 in a VM with AMD-V.",
         "There are open reports that it does not start.",
         "Use the newest kernel and QEMU; where it fails, WSL 1.",
         "QEMU issue 3177; WSL issue 40820"},
        NEST_GUEST_NEEDS_WINDOWS, check_amd_wsl},
    {{NULL}, 0, NULL},
};
// clang-format on
