/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-given.h"
#include "nest-record.h"
#include "nest-size.h"
#include <string.h>

/* What a VM really gets when it runs, and what else holds it. */

/* What runs, else what would. */
static const NestDomain *now_of(const NestVmView *view)
{
    return view->live != NULL ? view->live : view->domain;
}

static gboolean runs(const NestVmView *view, NestCheck *check)
{
    if (view->live != NULL)
        return TRUE;
    nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It does not run.");
    return FALSE;
}

static void say_present(const NestGiven *given, NestCheck *check)
{
    nest_check_say(check, NEST_VERDICT_PASS, "It has the extension: %s.", nest_given_words(given));
}

static void say_absent(const NestGiven *given, NestCheck *check)
{
    nest_check_fix(
        check, "see vm.cpu.pending and the checks of the host, then turn it off and start it");
    nest_check_say(check, NEST_VERDICT_FAIL,
        "It runs without the extension that its definition asks for: %s.", nest_given_words(given));
}

static void say_unwanted(const NestGiven *given, NestCheck *check)
{
    nest_check_fix(check,
        "turn it off and start it; if that does not help, see what else is given to its QEMU: "
        "qemu:commandline in the definition, hooks");
    nest_check_say(check, NEST_VERDICT_FAIL, "It has the extension that its definition hides: %s.",
        nest_given_words(given));
}

static void say_unknown(const NestVmView *view, NestCheck *check)
{
    nest_check_fix(check, "nestctl enable %s, so that a start without it fails", view->facts->name);
    nest_check_say(check, NEST_VERDICT_UNKNOWN,
        "Whether it was given the extension can't be told: nothing enforces it, and QEMU's log "
        "could not be read back to the start.");
}

static void check_effective(const NestVmView *view, NestCheck *check)
{
    static const char *const logs[] = {"not read", "names none as missing", "names vmx as missing",
        "names svm as missing", "names vmx and svm as missing"};
    if (!runs(view, check))
        return;
    const NestDomain *live = view->live;
    g_autoptr(NestGiven) given = nest_given_judge(view);
    gboolean live_asks = nest_vm_domain_asks(live, given->extension);
    gboolean asked = live_asks || nest_vm_domain_asks(view->domain, given->extension);
    nest_check_read(check, "running: mode %s, %s%s; QEMU's log: %s; QEMU's monitor: %s",
        live->cpu_mode != NULL ? live->cpu_mode : "none",
        live_asks ? "asks for the extension" : "does not ask for the extension",
        live->check_full ? ", check full" : "", logs[view->facts->start_log],
        given->witness == NEST_WITNESS_MONITOR ? nest_nick(nest_presence_nicks, given->presence)
                                               : "not read");
    if (given->flaw == NEST_FLAW_UNWANTED)
        say_unwanted(given, check);
    else if (!asked || given->extension == NEST_EXTENSION_NONE)
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "It does not ask for an extension.");
    else if (given->presence == NEST_PRESENCE_PRESENT)
        say_present(given, check);
    else if (given->presence == NEST_PRESENCE_ABSENT || !live_asks)
        say_absent(given, check);
    else
        say_unknown(view, check);
}

/* The first of list that is (not) in other; NULL where there is none. */
static const char *first_of(GStrv list, GStrv other, gboolean in)
{
    for (guint i = 0; list != NULL && list[i] != NULL; i++) {
        gboolean found = other != NULL && g_strv_contains((const char *const *)other, list[i]);
        if (found == in)
            return list[i];
    }
    return NULL;
}

static void check_subfeatures(const NestVmView *view, NestCheck *check)
{
    if (!runs(view, check))
        return;
    const NestDomain *live = view->live;
    if (nest_vm_view_extension(view) != NEST_EXTENSION_VMX) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "Only VT-x has parts that libvirt names.");
        return;
    }
    if (nest_vm_domain_of_host(live) || !nest_vm_domain_asks(live, NEST_EXTENSION_VMX)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "%s",
            nest_vm_domain_of_host(live)
                ? "Its CPU is that of the host, with all the parts that it has."
                : "It has no VT-x.");
        return;
    }
    const char *lost = first_of(view->domain->extras.parts, live->extras.parts_off, TRUE);
    const char *off = first_of(live->extras.parts_off, view->domain->extras.parts_off, FALSE);
    nest_check_read(check, "running, features vmx-…: %s%s",
        off != NULL ? "disabled, though the definition does not say so: " : "none disabled",
        off != NULL ? off : "");
    if (lost != NULL) {
        nest_check_fix(check, "take %s out of the definition, or use another CPU model", lost);
        nest_check_say(check, NEST_VERDICT_WARN,
            "It asks for %s and runs without it: it can't move to where that is there.", lost);
    } else if (off != NULL) {
        nest_check_say(check, NEST_VERDICT_INFO,
            "The host lacks parts of VT-x that its CPU model has, %s for one: it moves only to "
            "hosts that are told so.",
            off);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "It has all parts of VT-x of its CPU model.");
    }
}

static void check_inflated(const NestVmView *view, NestCheck *check)
{
    if (!runs(view, check))
        return;
    const NestDomain *live = view->live;
    g_autofree char *range = nest_size_range(live->current_memory_kib, live->memory_kib);
    nest_check_read(check, "running, currentMemory and memory: %s", range);
    if (live->current_memory_kib >= live->memory_kib) {
        nest_check_say(check, NEST_VERDICT_PASS, "It has all its memory.");
        return;
    }
    nest_check_fix(check, "virsh setmem %s %" G_GUINT64_FORMAT "KiB --live", view->facts->name,
        live->memory_kib);
    nest_check_say(check, NEST_VERDICT_WARN,
        "A balloon holds part of its memory (%s): it may run out when inner VMs start.", range);
}

static void check_autoballoon(const NestVmView *view, NestCheck *check)
{
    const NestDomain *domain = view->domain;
    const NestDomainExtras *extras = &domain->extras;
    const char *what = extras->free_page_reporting ? "freePageReporting"
        : extras->autodeflate                      ? "autodeflate"
                                                   : extras->manager;
    nest_check_read(check, "definition, balloon: %s, moved by: %s",
        domain->balloon ? "is there" : "none", what != NULL ? what : "nobody known");
    if (!domain->balloon || what == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "Nothing moves its memory by itself.");
        return;
    }
    nest_check_fix(check, "nestctl enable %s takes the balloon out; or exclude it in what moves it",
        view->facts->name);
    nest_check_say(check, NEST_VERDICT_WARN,
        "Its memory comes and goes by itself (%s): inner VMs do not bear that.", what);
}

static void check_overlay(const NestVmView *view, NestCheck *check)
{
    const NestDomainExtras *extras = &now_of(view)->extras;
    nest_check_read(check, "%s, backingStore: %s", view->live != NULL ? "running" : "definition",
        extras->overlay != NULL     ? extras->overlay
            : extras->overlay_known ? "none"
                                    : "not listed");
    if (extras->overlay != NULL)
        nest_check_say(check, NEST_VERDICT_INFO,
            "The image of its disk %s lies upon another one: images of inner VMs in it are slower.",
            extras->overlay);
    else if (extras->overlay_known)
        nest_check_say(check, NEST_VERDICT_PASS, "None of its images lies upon another one.");
    else
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "libvirt lists what lies below an image only while the VM runs.");
}

static void check_viommu(const NestVmView *view, NestCheck *check)
{
    const NestDomainExtras *extras = &view->domain->extras;
    nest_check_read(check, "definition, hostdev: %s, iommu: %s",
        extras->host_device != NULL ? extras->host_device : "none",
        extras->iommu != NULL ? extras->iommu : "none");
    if (g_strcmp0(extras->host_device, "pci") != 0) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "It has no PCI device of the host that it could hand on to an inner VM.");
    } else if (extras->iommu_ready) {
        nest_check_say(check, NEST_VERDICT_PASS, "It can hand devices on to inner VMs.");
    } else {
        nest_check_fix(check,
            "virsh edit %s: <iommu model='intel'><driver intremap='on' caching_mode='on'/>"
            "</iommu>, with ioapic driver='qemu' in features",
            view->facts->name);
        nest_check_say(check, NEST_VERDICT_WARN,
            "It has a PCI device of the host, but no IOMMU that could hand it on to an inner VM.");
    }
}

/* QEMU itself could list what blocks a migration, but asking it marks the VM as tainted (fact F3):
 * this is what the definition says. */
static void check_blockers(const NestVmView *view, NestCheck *check)
{
    const NestDomainExtras *extras = &now_of(view)->extras;
    const struct {
        gboolean there;
        const char *text;
    } rows[] = {{extras->host_device != NULL, "a device of the host"},
        {extras->shared_folder != NULL, "a folder of the host"},
        {extras->invtsc, "the feature invtsc"}, {extras->migratable_off, "migratable='off'"},
        {extras->hyperv.passthrough, "hyperv mode passthrough"},
        {extras->launch_security != NULL, "launchSecurity"}};
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].there)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", rows[i].text);
    nest_check_read(check, "%s: %s", view->live != NULL ? "running" : "definition",
        text->len > 0 ? text->str : "nothing that blocks a migration");
    if (text->len > 0)
        nest_check_say(check, NEST_VERDICT_INFO,
            "It may be impossible to save or to move, because of %s.", text->str);
    else
        nest_check_say(check, NEST_VERDICT_PASS,
            "Nothing in its definition keeps it from being saved or moved.");
}

/* Always a piece of information: what follows from it is the guards' business. */
static void check_l2(const NestVmView *view, NestCheck *check)
{
    static const char *const texts[] = {
        [NEST_ACTIVITY_NONE] = "It does not run.",
        [NEST_ACTIVITY_UNKNOWN] = "It may host VMs: what it does inside can't be told.",
        [NEST_ACTIVITY_OFF] = "It has no virtualization extension.",
        [NEST_ACTIVITY_EXPOSED] = "It has the extension, and has not switched it on.",
        [NEST_ACTIVITY_ARMED] = "A hypervisor is ready in it: it has switched the extension on.",
        [NEST_ACTIVITY_HOSTING] = "Inner VMs run in it.",
    };
    NestActivity activity = nest_vm_view_activity(view);
    if (!runs(view, check))
        return;
    nest_check_read(check, "KVM's statistics, registers where they may be read: %s",
        nest_nick(nest_activity_nicks, activity));
    if (activity == NEST_ACTIVITY_UNKNOWN)
        nest_check_fix(check,
            "KVM: Linux 5.14, QEMU 7.1 and libvirt 8.10 tell; else [guard] monitor=yes in "
            "nestd.conf");
    nest_check_say(check, NEST_VERDICT_INFO, "%s", texts[activity]);
}

static void check_taint(const NestVmView *view, NestCheck *check)
{
    GStrv messages = view->facts->messages;
    if (!runs(view, check))
        return;
    if (messages == NULL) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "This hypervisor does not tell what it marks a VM with.");
        return;
    }
    g_autofree char *text = g_strjoinv("; ", messages);
    nest_check_read(check, "hypervisor, messages: %s", *text != '\0' ? text : "none");
    if (*text == '\0')
        nest_check_say(check, NEST_VERDICT_PASS, "libvirt has nothing to say against it.");
    else
        nest_check_say(check, NEST_VERDICT_INFO, "libvirt has marked it: %s.", text);
}

static void check_machine(const NestVmView *view, NestCheck *check)
{
    const NestBackendCaps *caps = view->caps;
    const char *machine = view->domain->machine, *arch = view->domain->arch;
    nest_check_read(check, "definition, machine: %s", machine != NULL ? machine : "not named");
    if (machine == NULL) {
        nest_check_say(check, NEST_VERDICT_PASS, "It gets the machine that is the default.");
    } else if (arch != NULL && strcmp(arch, "x86_64") != 0) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "Only machines of x86_64 are known here.");
    } else if (caps == NULL || caps->machines == NULL) {
        nest_check_say(
            check, NEST_VERDICT_UNKNOWN, "Which machines this QEMU has could not be read.");
    } else if (!g_strv_contains((const char *const *)caps->machines, machine)) {
        nest_check_fix(check, "virsh edit %s: a machine of virsh capabilities, q35 for the newest",
            view->facts->name);
        nest_check_say(check, NEST_VERDICT_FAIL,
            "This QEMU has no machine %s: it can't be started here.", machine);
    } else if (caps->old_machines != NULL &&
        g_strv_contains((const char *const *)caps->old_machines, machine)) {
        nest_check_fix(check, "virsh edit %s: a newer machine of the same kind", view->facts->name);
        nest_check_say(check, NEST_VERDICT_WARN, "QEMU will give the machine %s up.", machine);
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "QEMU has its machine, %s.", machine);
    }
}

// clang-format off
const NestVmCheckRow nest_checks_vm_run[] = {
    {{"vm.machine", "QEMU has its machine", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "The machine type, and those that libvirt lists for this QEMU.",
         "A newer QEMU gives old machines up, and a VM with such a one does not start any more.",
         "Choose a newer machine; the guest sees changed hardware.",
         "libvirt: formatcaps; QEMU: about/deprecated.rst"},
        check_machine},
    {{"vm.cpu.effective", "it was given the extension", NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "What libvirt and QEMU noted of the CPU of a VM that runs: its live definition, QEMU's log "
         "of this start, and QEMU's word on its virtual CPU where [guard] monitor=yes lets it be "
         "asked.",
         "What is asked for without being enforced may be missing, and what is hidden may be there, "
         "and nobody says so.",
         "Put the checks of the host right, then turn the VM off and start it.",
         "nestd: docs/facts.md, F1 and F2"},
        check_effective},
    {{"vm.cpu.subfeatures", "it has all parts of VT-x", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The features vmx-… of a named CPU model: those asked for, and those that libvirt notes "
         "as disabled in what runs.",
         "A VM moves only to where its CPU is the same to the last part; libvirt 9.10 to 10.1 lost "
         "track of disabled ones.",
         "Name only parts that all hosts have.",
         "libvirt: release notes of 10.2.0; libvirt issue 568"},
        check_subfeatures},
    {{"vm.mem.inflated", "it has all its memory", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "How much of its memory the balloon leaves to a VM that runs.",
         "A hypervisor in the VM counts on memory that the balloon holds.",
         "virsh setmem VM SIZE --live.",
         "libvirt: formatdomain, Memory Allocation"},
        check_inflated},
    {{"vm.mem.autoballoon", "nothing moves its memory by itself", NEST_CHECK_PLAIN,
         NEST_VERDICT_WARN,
         "The attributes autodeflate and freePageReporting of the balloon, and the mark of oVirt, "
         "whose memory manager moves balloons.",
         "Memory that goes while inner VMs run hits them.",
         "nestctl enable VM takes the balloon out; or exclude the VM in what moves its memory.",
         "libvirt: formatdomain, Memory balloon device"},
        check_autoballoon},
    {{"vm.disk.overlay", "its images lie upon no other", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The element backingStore of its disks.",
         "Images of inner VMs are files in a chain of images, and each link costs.",
         "virsh blockcommit VM DISK --active --pivot, where the image below is not shared.",
         "libvirt: formatdomain, Hard drives, floppy disks, CDROMs"},
        check_overlay},
    {{"vm.viommu", "it can hand devices on", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "PCI devices of the host in the VM, and its IOMMU.",
         "An inner VM can be given a device of the host only through an IOMMU of the VM.",
         "Add an IOMMU: on Intel's with intremap and caching_mode.",
         "libvirt: formatdomain, IOMMU devices"},
        check_viommu},
    {{"vm.blockers", "nothing keeps it from being moved", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "What in the definition QEMU may refuse to save or move a VM for. QEMU's own list is not "
         "asked for: that would mark the VM as tainted.",
         "A VM that can't be moved has to be turned off, and its inner VMs with it.",
         "Take out what is not needed.",
         "nestd: docs/facts.md, F3; QEMU: devel/migration"},
        check_blockers},
    {{"vm.l2", "what it does with its extension is known", NEST_CHECK_NO_DOMAIN,
         NEST_VERDICT_INFO,
         "KVM's count of entries into inner VMs, whether a virtual CPU is in one, and CR4.VMXE and "
         "EFER.SVME where [guard] monitor=yes lets them be read.",
         "What guards allow depends on it; what can't be told counts as hosting.",
         "Nothing is to be done. Where it is unknown: Linux 5.14, QEMU 7.1 and libvirt 8.10 for "
         "KVM, or [guard] monitor=yes in nestd.conf.",
         "nestd: docs/facts.md, F4, F5, F18"},
        check_l2},
    {{"vm.taint", "libvirt has not marked it", NEST_CHECK_NO_DOMAIN, NEST_VERDICT_INFO,
         "What libvirt says of a VM that runs: taints and deprecations, as virsh dominfo shows "
         "them.",
         "Somebody used the monitor or options behind libvirt's back: what libvirt says of the VM "
         "may not hold.",
         "Turn the VM off and start it; leave out what marked it.",
         "libvirt: virDomainGetMessages()"},
        check_taint},
    {{NULL}, NULL},
};
// clang-format on
