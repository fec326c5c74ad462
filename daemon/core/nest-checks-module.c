/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check.h"
#include "nest-host-modprobe.h"
#include "nest-version.h"
#include <string.h>

/* How KVM's module is configured and what it can do beyond nesting as such. */

static gboolean is_on(const char *value)
{
    return strcmp(value, "1") == 0 || g_ascii_strcasecmp(value, "Y") == 0;
}

static gboolean is_hardware_module(const char *module)
{
    return module != NULL && strcmp(module, "kvm_pvm") != 0;
}

/* FALSE, and the verdict is said, if no module of hardware KVM is there. */
static gboolean have_module(const NestHostView *view, NestCheck *check)
{
    if (is_hardware_module(view->host->kvm_module))
        return TRUE;
    nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "No hardware KVM module is loaded.");
    return FALSE;
}

/* "/etc/modprobe.d/kvm.conf: 0, /proc/cmdline: 1" */
static char *settings_text(const NestHostTuning *tuning)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; tuning->nested_where[i] != NULL; i++)
        g_string_append_printf(
            text, "%s%s: %s", i > 0 ? ", " : "", tuning->nested_where[i], tuning->nested_values[i]);
    return g_strdup(text->len > 0 ? text->str : "nothing configured");
}

/* TRUE if one of the settings is on (off). */
static gboolean is_set(const NestHostTuning *tuning, gboolean on)
{
    for (guint i = 0; tuning->nested_values[i] != NULL; i++)
        if (is_on(tuning->nested_values[i]) == on)
            return TRUE;
    return FALSE;
}

static void fix_persist(const NestHostFacts *host, NestCheck *check)
{
    if (nest_host_tuning_built_in(&host->tuning)) {
        nest_check_fix(check,
            "put %s.nested=1 on the kernel's command line, and nothing that says otherwise",
            host->kvm_module);
        return;
    }
    nest_check_fix(check,
        "nestctl host fix; by hand: leave one line \"options %s nested=1\" in /etc/modprobe.d, "
        "and nothing that says otherwise",
        host->kvm_module);
}

/* Two files that say different things: which of them counts. */
static void say_contradiction(const NestHostTuning *tuning, NestCheck *check)
{
    guint i = 0;
    nest_host_modprobe_winner(tuning->nested_where, &i);
    nest_check_say(check, NEST_VERDICT_WARN,
        "The configuration of nesting contradicts itself: %s counts (nested=%s).",
        tuning->nested_where[i], tuning->nested_values[i]);
}

static void say_default(const NestHostFacts *host, NestCheck *check)
{
    guint version = nest_version_number(host->kernel);
    if (!nest_host_nested(host)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "Nothing is configured, and nesting is off: see host.kvm.nested.");
    } else if (host->svm || version >= NEST_VERSION_NUMBER(4, 20)) {
        nest_check_say(check, NEST_VERDICT_PASS,
            "Nothing is configured: nesting is on by the kernel's default.");
    } else {
        fix_persist(host, check);
        nest_check_say(
            check, NEST_VERDICT_WARN, "Nesting is on, and off again after the next boot.");
    }
}

static void check_persist(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    const NestHostTuning *tuning = &host->tuning;
    if (!have_module(view, check))
        return;
    g_autofree char *settings = settings_text(tuning);
    gboolean on = is_set(tuning, TRUE), off = is_set(tuning, FALSE);
    nest_check_read(check, "%s; now: %s", settings, nest_check_or_unread(host->nested.value));
    if (tuning->nested_config.value == NULL || host->nested.value == NULL) {
        nest_check_fix(check, "see that nestd may read /etc/modprobe.d and /proc/cmdline");
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "Whether nesting is the same after the next boot can't be told: %s.",
            tuning->nested_config.value == NULL ? nest_check_or_unread(tuning->nested_config.error)
                                                : "what it is now could not be read");
    } else if (!on && !off) {
        say_default(host, check);
    } else if (on && off) {
        fix_persist(host, check);
        say_contradiction(tuning, check);
    } else if (on != nest_host_nested(host)) {
        fix_persist(host, check);
        nest_check_say(check, NEST_VERDICT_WARN, "Nesting is %s now and %s after the next boot.",
            on ? "off" : "on", on ? "on" : "off");
    } else {
        nest_check_say(check, NEST_VERDICT_PASS, "What is configured is what is in use.");
    }
}

static void check_builtin(const NestHostView *view, NestCheck *check)
{
    const NestFact *modules = &view->host->tuning.modules;
    if (!have_module(view, check))
        return;
    nest_check_read(check, "%s: %s", modules->path,
        modules->value != NULL ? modules->value : nest_check_or_unread(modules->error));
    if (modules->value == NULL)
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "Whether %s is built in can't be told: %s.",
            view->host->kvm_module, nest_check_or_unread(modules->error));
    else if (strcmp(modules->value, "loaded") == 0)
        nest_check_say(check, NEST_VERDICT_PASS, "%s is a module.", view->host->kvm_module);
    else
        nest_check_say(check, NEST_VERDICT_INFO,
            "%s is built in: only the kernel's command line sets its parameters.",
            view->host->kvm_module);
}

static void check_busy(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    const NestFact *users = &host->tuning.facts[NEST_TUNING_USERS];
    if (!have_module(view, check))
        return;
    nest_check_read(check, "%s: %s", users->path,
        users->value != NULL ? users->value : nest_check_or_unread(users->error));
    if (nest_host_nested(host)) {
        nest_check_say(
            check, NEST_VERDICT_NOT_APPLICABLE, "Nesting is on: there is nothing to load anew.");
    } else if (users->missing) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "%s can't be unloaded, so it is not loaded anew either.", host->kvm_module);
    } else if (users->value == NULL) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "Whether VMs use %s could not be read: %s.",
            host->kvm_module, nest_check_or_unread(users->error));
    } else if (strcmp(users->value, "0") == 0) {
        nest_check_say(
            check, NEST_VERDICT_PASS, "Nothing uses %s: it can be loaded anew.", host->kvm_module);
    } else {
        nest_check_fix(check, "turn off every VM of KVM, then: nestctl host fix");
        nest_check_say(check, NEST_VERDICT_WARN,
            "%s is in use (%s times): it can't be loaded anew to switch nesting on.",
            host->kvm_module, users->value);
    }
}

typedef struct {
    const char *name;
    NestVerdict verdict; /* where it is missing */
    gboolean intel_only;
    const char *good, *bad, *fix;
} Capability;

static void check_capability(
    const NestHostView *view, NestCheck *check, int number, const Capability *capability)
{
    if (!nest_host_hardware_kvm(view->host)) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "There is no hardware KVM to ask.");
    } else if (capability->intel_only && !view->host->vmx) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "This is about Intel only.");
    } else if (number < 0) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "%s could not be asked.", capability->name);
    } else {
        nest_check_read(check, "/dev/kvm: %s is %d", capability->name, number);
        if (number == 0)
            nest_check_fix(check, "%s", capability->fix);
        nest_check_say(check, number > 0 ? NEST_VERDICT_PASS : capability->verdict, "%s",
            number > 0 ? capability->good : capability->bad);
    }
}

static void check_exc_payload(const NestHostView *view, NestCheck *check)
{
    static const Capability capability = {"KVM_CAP_EXCEPTION_PAYLOAD", NEST_VERDICT_WARN, TRUE,
        "Exceptions of inner VMs keep what they carry.",
        "A VM that hosts others may lose an exception when it is saved.",
        "use kernel 4.20 or later"};
    check_capability(view, check, view->host->kvm.exception_payload, &capability);
}

static void check_stats(const NestHostView *view, NestCheck *check)
{
    static const Capability capability = {"KVM_CAP_BINARY_STATS_FD", NEST_VERDICT_WARN, FALSE,
        "The kernel counts what inner VMs do.", "The kernel does not tell whether inner VMs run.",
        "use kernel 5.14 or later"};
    check_capability(view, check, view->host->kvm.binary_stats, &capability);
}

static void check_evmcs(const NestHostView *view, NestCheck *check)
{
    static const Capability capability = {"KVM_CAP_HYPERV_ENLIGHTENED_VMCS", NEST_VERDICT_INFO,
        TRUE, "Hyper-V in a VM can use the enlightened VMCS.",
        "Hyper-V in a VM has no enlightened VMCS, and is slower.", "leave evmcs out of VMs"};
    check_capability(view, check, view->host->kvm.evmcs, &capability);
}

static void check_virt_at_load(const NestHostView *view, NestCheck *check)
{
    const NestFact *fact = &view->host->tuning.facts[NEST_TUNING_VIRT_AT_LOAD];
    GStrv others = view->host->other_modules;
    gboolean other = others != NULL && others[0] != NULL;
    nest_check_read(check, "%s: %s", fact->path,
        fact->value != NULL ? fact->value : nest_check_or_unread(fact->error));
    if (fact->missing) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE,
            "KVM is not there, or older than this setting and takes the extension with the first "
            "VM.");
    } else if (fact->value == NULL) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN,
            "When KVM takes the extension can't be told: %s.", nest_check_or_unread(fact->error));
    } else if (!is_on(fact->value)) {
        nest_check_say(check, NEST_VERDICT_INFO, "KVM takes the extension with the first VM.");
    } else if (other) {
        nest_check_fix(check, "modprobe -r %s, or load kvm with enable_virt_at_load=0", others[0]);
        nest_check_say(check, NEST_VERDICT_WARN,
            "KVM took the extension when it was loaded: VMs on %s do not start.", others[0]);
    } else {
        nest_check_say(
            check, NEST_VERDICT_PASS, "KVM took the extension when it was loaded, and is alone.");
    }
}

/* What to switch where, by the names in DMI. */
static const struct {
    const char *vendor, *model, *name, *fix;
} clouds[] = {
    {"Google", "Compute", "Google Cloud",
        "allow it for the instance: gcloud compute instances update, enableNestedVirtualization"},
    {"Amazon EC2", NULL, "Amazon EC2",
        "use a bare metal instance, or one whose type offers nested virtualization"},
    {"Microsoft", "Virtual Machine", "Hyper-V or Azure",
        "Hyper-V: Set-VMProcessor -ExposeVirtualizationExtensions $true; Azure: a size that "
        "offers nested virtualization, with security type Standard"},
    {"VMware", NULL, "VMware",
        "tick \"Expose hardware assisted virtualization to the guest OS\" (vhv.enable)"},
    {"innotek", NULL, "VirtualBox", "VBoxManage modifyvm NAME --nested-hw-virt on"},
    {"QEMU", NULL, "QEMU", "on the host below: nestctl enable NAME"},
    {"Red Hat", "KVM", "KVM", "on the host below: nestctl enable NAME"},
    {"OpenStack", NULL, "OpenStack", "ask the provider for a CPU mode that passes it on"},
    {"DigitalOcean", NULL, "DigitalOcean", "ask the provider"},
    {"Hetzner", NULL, "Hetzner", "use a dedicated server: cloud servers do not pass it on"},
};

static gboolean is_named(const char *text, const char *part)
{
    return part == NULL || (text != NULL && strstr(text, part) != NULL);
}

static void check_outer_cloud(const NestHostView *view, NestCheck *check)
{
    const NestHostFacts *host = view->host;
    guint i = 0;
    nest_check_read(check, "DMI: %s, %s", nest_check_or_unread(host->manufacturer),
        nest_check_or_unread(host->model));
    if (!host->cpuinfo_read) {
        nest_check_say(check, NEST_VERDICT_UNKNOWN, "/proc/cpuinfo could not be read.");
        return;
    }
    if (!host->hypervisor || host->xen_control || host->mshv) {
        nest_check_say(check, NEST_VERDICT_NOT_APPLICABLE, "This host is no VM.");
        return;
    }
    if (host->vmx || host->svm) {
        nest_check_say(
            check, NEST_VERDICT_PASS, "The hypervisor below this host passes the extension on.");
        return;
    }
    while (i < G_N_ELEMENTS(clouds) &&
        !(is_named(host->manufacturer, clouds[i].vendor) && is_named(host->model, clouds[i].model)))
        i++;
    gboolean known = i < G_N_ELEMENTS(clouds);
    nest_check_fix(check, "%s", known ? clouds[i].fix : "ask whoever runs the hypervisor below");
    nest_check_say(check, NEST_VERDICT_FAIL, "%s does not pass the extension on to this host.",
        known ? clouds[i].name : "The hypervisor below");
}

// clang-format off
const NestHostCheckRow nest_checks_host_module[] = {
    {{"host.kvm.nested-persist", "nesting is the same after a boot",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "What is configured for the parameter nested, in modprobe.d and on the kernel's command "
         "line, which alone counts for a module that is built in, beside its value now.",
         "A parameter that was set by hand is gone after a boot, and VMs with required extensions "
         "then do not start.",
         "Write one line \"options kvm_intel nested=1\" (or kvm_amd) to a file of its own in "
         "/etc/modprobe.d.",
         "modprobe.d(5); nestd: docs/facts.md, F8"},
        check_persist},
    {{"host.kvm.builtin", "KVM is a module", NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "Whether the module of KVM is listed in /proc/modules. A kernel without modules has none.",
         "What is built in can't be loaded anew: its parameters come from the kernel's command "
         "line only.",
         "Put kvm_intel.nested=1 (or kvm_amd) on the kernel's command line.",
         "Linux: Documentation/admin-guide/kernel-parameters.txt"},
        check_builtin},
    {{"host.kvm.busy", "KVM can be loaded anew", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "Where nesting is off, how many use the module of KVM.",
         "To switch nesting on, the module is loaded anew, which it can't be while a VM runs.",
         "Turn off every VM of KVM, or reboot.",
         "modprobe(8)"},
        check_busy},
    {{"host.kvm.cap-exc-payload", "exceptions keep what they carry",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The capability KVM_CAP_EXCEPTION_PAYLOAD of /dev/kvm, on Intel.",
         "Without it QEMU can't save an exception that is on its way to an inner VM.",
         "Use kernel 4.20 or later.",
         "Linux: Documentation/virt/kvm/api.rst, 7.13; QEMU: target/i386/machine.c"},
        check_exc_payload},
    {{"host.kvm.cap-stats", "the kernel counts what inner VMs do",
         NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The capability KVM_CAP_BINARY_STATS_FD of /dev/kvm.",
         "Without these counters nobody can see whether inner VMs run.",
         "Use kernel 5.14 or later.",
         "Linux: Documentation/virt/kvm/api.rst, 4.133; nestd: docs/facts.md, F4"},
        check_stats},
    {{"host.kvm.cap-evmcs", "Hyper-V in a VM can have an enlightened VMCS",
         NEST_CHECK_PLAIN, NEST_VERDICT_INFO,
         "The capability KVM_CAP_HYPERV_ENLIGHTENED_VMCS of /dev/kvm, on Intel.",
         "With it Hyper-V in a VM reads and writes the state of its VMs without exits.",
         "Leave evmcs out of the definition of VMs.",
         "Linux: Documentation/virt/kvm/api.rst, 4.122"},
        check_evmcs},
    {{"host.virt-at-load", "KVM is alone with the extension", NEST_CHECK_PLAIN, NEST_VERDICT_WARN,
         "The parameter enable_virt_at_load of kvm, and other hypervisors' modules.",
         "With it KVM takes the extension when it is loaded, and VMs of VirtualBox or VMware do "
         "not start.",
         "Unload the other module, or load kvm with enable_virt_at_load=0.",
         "Linux: Documentation/admin-guide/kernel-parameters.txt; nestd: docs/facts.md, F11"},
        check_virt_at_load},
    {{"host.outer-cloud", "the hypervisor below passes the extension on",
         NEST_CHECK_PLAIN, NEST_VERDICT_FAIL,
         "On a host that is a VM without the extension: who runs it, by the names in DMI.",
         "The extension has to be switched on where this VM is defined, and each provider has its "
         "own switch for that.",
         "See the provider's documentation for nested virtualization.",
         "the documentation of each provider"},
        check_outer_cloud},
    {{NULL}, NULL},
};
// clang-format on
