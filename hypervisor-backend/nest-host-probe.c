/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-probe.h"
#include "nest-firmware-lock.h"
#include "nest-host-file.h"
#include "nest-kvm-try.h"
#include <string.h>
#include <sys/utsname.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define CPUINFO_MAX (4 * 1024 * 1024)
#define PROCESSES_MAX 65536

void nest_host_facts_free(NestHostFacts *facts)
{
    if (facts == NULL)
        return;
    char *strings[] = {facts->hostname, facts->arch, facts->kernel, facts->kernel_build, facts->os,
        facts->manufacturer, facts->model, facts->cpu_vendor, facts->cpu_model,
        facts->cpuinfo_error, facts->outer_hypervisor, facts->firmware_lock_read, facts->kvm_module,
        facts->kvm.error, facts->kvm.access, facts->xen_error};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    nest_host_fact_clear(&facts->nested);
    nest_host_fact_clear(&facts->slat_parameter);
    nest_host_tuning_clear(&facts->tuning);
    g_strfreev(facts->other_modules);
    g_strfreev(facts->other_vms);
    g_free(facts);
}

static gboolean is_running_host(const char *root)
{
    return strcmp(root, "/") == 0;
}

/* The value of a "key : value" line if it is this key, else NULL. */
static const char *cpuinfo_value(const char *line, const char *key)
{
    gsize length = strlen(key);
    if (strncmp(line, key, length) != 0)
        return NULL;
    line += length;
    line += strspn(line, " \t");
    return *line == ':' ? line + 1 : NULL;
}

static void read_flags(const char *value, NestHostFacts *facts)
{
    const struct {
        const char *flag;
        gboolean *fact;
    } flags[] = {{"vmx", &facts->vmx}, {"svm", &facts->svm}, {"ept", &facts->ept},
        {"npt", &facts->npt}, {"hypervisor", &facts->hypervisor}, {"md_clear", &facts->md_clear},
        {"flush_l1d", &facts->flush_l1d}, {"rtm", &facts->tsx}, {"hle", &facts->tsx}};
    g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        if (g_strv_contains((const char *const *)words, flags[i].flag))
            *flags[i].fact = TRUE;
}

/* Of each line, the first CPU's counts: hybrid CPUs agree on what matters here. */
static void read_cpuinfo_line(const char *line, NestHostFacts *facts)
{
    const char *value;
    if (cpuinfo_value(line, "processor") != NULL)
        facts->cpus++;
    if (facts->cpus > 1)
        return;
    if ((value = cpuinfo_value(line, "vendor_id")) != NULL && facts->cpu_vendor == NULL)
        facts->cpu_vendor = nest_host_file_clean(value);
    if ((value = cpuinfo_value(line, "model name")) != NULL && facts->cpu_model == NULL)
        facts->cpu_model = nest_host_file_clean(value);
    if ((value = cpuinfo_value(line, "flags")) != NULL)
        read_flags(value, facts);
    if ((value = cpuinfo_value(line, "vmx flags")) != NULL)
        read_flags(value, facts);
}

static void probe_cpuinfo(const char *root, NestHostFacts *facts)
{
    g_autofree char *text =
        nest_host_file_text(root, "proc/cpuinfo", CPUINFO_MAX, &facts->cpuinfo_error);
    char *next = text;
    while (next != NULL)
        read_cpuinfo_line(strsep(&next, "\n"), facts);
    facts->cpuinfo_read = facts->cpus > 0;
    if (text != NULL && !facts->cpuinfo_read)
        facts->cpuinfo_error = g_strdup("it lists no CPU");
}

static char *probe_arch(const char *root)
{
    char *arch = nest_host_file_line(root, "proc/sys/kernel/arch", NULL);
    struct utsname name;
    if (arch == NULL && is_running_host(root) && uname(&name) == 0)
        arch = g_strdup(name.machine);
    return arch;
}

static char *os_release_name(const char *root, const char *path)
{
    g_autofree char *text = nest_host_file_text(root, path, NEST_HOST_FILE_MAX, NULL);
    char *next = text;
    while (next != NULL) {
        const char *line = strsep(&next, "\n");
        if (!g_str_has_prefix(line, "PRETTY_NAME="))
            continue;
        g_autofree char *name = g_shell_unquote(line + strlen("PRETTY_NAME="), NULL);
        return name != NULL ? nest_host_file_clean(name) : NULL;
    }
    return NULL;
}

static void probe_identity(const char *root, NestHostFacts *facts)
{
    facts->hostname = nest_host_file_line(root, "proc/sys/kernel/hostname", NULL);
    facts->arch = probe_arch(root);
    facts->os = os_release_name(root, "etc/os-release");
    if (facts->os == NULL)
        facts->os = os_release_name(root, "usr/lib/os-release");
    facts->manufacturer = nest_host_file_line(root, "sys/class/dmi/id/sys_vendor", NULL);
    facts->model = nest_host_file_line(root, "sys/class/dmi/id/product_name", NULL);
}

#if defined(__x86_64__) || defined(__i386__)
static const char *hypervisor_at_leaf(guint32 leaf)
{
    static const struct {
        const char *signature, *name;
    } rows[] = {{"KVMKVMKVM", "KVM"}, {"Linux KVM Hv", "KVM"}, {"Microsoft Hv", "Hyper-V"},
        {"VMwareVMware", "VMware"}, {"XenVMMXenVMM", "Xen"}, {"VBoxVBoxVBox", "VirtualBox"},
        {"TCGTCGTCGTCG", "QEMU"}, {"bhyve bhyve ", "bhyve"}, {"ACRNACRNACRN", "ACRN"},
        {" lrpepyh  vr", "Parallels"}, {"prl hyperv  ", "Parallels"}};
    char signature[13] = {0};
    guint32 eax, ebx, ecx, edx;
    __cpuid(leaf, eax, ebx, ecx, edx);
    memcpy(signature, &ebx, 4);
    memcpy(signature + 4, &ecx, 4);
    memcpy(signature + 8, &edx, 4);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(signature, rows[i].signature) == 0)
            return rows[i].name;
    return NULL;
}
#endif

/* Only the CPU that runs this can be asked. KVM that speaks Hyper-V's language has its own
 * signature at the second leaf. */
static const char *hypervisor_by_cpuid(const char *root)
{
#if defined(__x86_64__) || defined(__i386__)
    if (is_running_host(root)) {
        const char *second = hypervisor_at_leaf(0x40000100);
        return second != NULL ? second : hypervisor_at_leaf(0x40000000);
    }
#endif
    return NULL;
}

static const char *hypervisor_by_dmi(const NestHostFacts *facts)
{
    static const struct {
        const char *vendor, *model, *name;
    } rows[] = {{"QEMU", NULL, "QEMU"}, {"Red Hat", "KVM", "KVM"}, {"Google", "Compute", "KVM"},
        {"Amazon EC2", NULL, "KVM"}, {"OpenStack", NULL, "KVM"}, {"DigitalOcean", NULL, "KVM"},
        {"Hetzner", "vServer", "KVM"}, {"Microsoft", "Virtual Machine", "Hyper-V"},
        {"VMware", NULL, "VMware"}, {"innotek", NULL, "VirtualBox"}, {"Xen", NULL, "Xen"},
        {"Parallels", NULL, "Parallels"}, {"BHYVE", NULL, "bhyve"}};
    for (guint i = 0; facts->manufacturer != NULL && i < G_N_ELEMENTS(rows); i++) {
        if (strstr(facts->manufacturer, rows[i].vendor) == NULL)
            continue;
        if (rows[i].model == NULL ||
            (facts->model != NULL && strstr(facts->model, rows[i].model) != NULL))
            return rows[i].name;
    }
    return NULL;
}

/* XENFEAT_dom0 of Xen's public/features.h. */
#define XEN_FEATURE_CONTROL (1 << 11)

/* Where xenfs is not mounted the features tell as much; its file is empty in a VM of Xen. */
static void probe_xen(const char *root, gboolean on_xen, NestHostFacts *facts)
{
    g_autofree char *error = NULL;
    g_autofree char *capabilities =
        nest_host_file_text(root, "proc/xen/capabilities", NEST_HOST_FILE_MAX, &error);
    g_autofree char *features =
        nest_host_file_line(root, "sys/hypervisor/properties/features", NULL);
    gboolean told = capabilities != NULL || g_strcmp0(error, "empty") == 0 || features != NULL;
    facts->xen_control = (capabilities != NULL && strstr(capabilities, "control_d") != NULL) ||
        (features != NULL && (g_ascii_strtoull(features, NULL, 16) & XEN_FEATURE_CONTROL) != 0);
    if (on_xen && !told)
        facts->xen_error = g_steal_pointer(&error);
}

static void probe_outer(const char *root, NestHostFacts *facts)
{
    g_autofree char *type = nest_host_file_line(root, "sys/hypervisor/type", NULL);
    probe_xen(root, g_strcmp0(type, "xen") == 0, facts);
    facts->mshv = nest_host_file_exists(root, "dev/mshv");
    if (g_strcmp0(type, "xen") == 0)
        facts->hypervisor = TRUE;
    if (!facts->hypervisor)
        return;
    const char *name = hypervisor_by_cpuid(root);
    if (name == NULL && g_strcmp0(type, "xen") == 0)
        name = "Xen";
    if (name == NULL)
        name = hypervisor_by_dmi(facts);
    facts->outer_hypervisor = g_strdup(name);
}

/* A module that is built in has its directory even where it found no hardware: one that fits the
 * CPU comes first, then the software one, then any. */
static const char *find_kvm_module(const char *root, const NestHostFacts *facts)
{
    const struct {
        const char *name;
        gboolean fits;
    } rows[] = {{"kvm_intel", facts->vmx}, {"kvm_amd", facts->svm}, {"kvm_pvm", TRUE},
        {"kvm_intel", TRUE}, {"kvm_amd", TRUE}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_build_filename("sys/module", rows[i].name, NULL);
        if (rows[i].fits && nest_host_file_exists(root, path))
            return rows[i].name;
    }
    return NULL;
}

static void probe_module(const char *root, NestHostFacts *facts)
{
    facts->kvm_module = g_strdup(find_kvm_module(root, facts));
    if (facts->kvm_module == NULL) {
        facts->nested.error = g_strdup("no KVM module is loaded");
        facts->slat_parameter.error = g_strdup("no KVM module is loaded");
        return;
    }
    gboolean amd = strcmp(facts->kvm_module, "kvm_amd") == 0;
    g_autofree char *parameters =
        g_build_filename("sys/module", facts->kvm_module, "parameters", NULL);
    g_autofree char *nested = g_build_filename(parameters, "nested", NULL);
    g_autofree char *slat = g_build_filename(parameters, amd ? "npt" : "ept", NULL);
    nest_host_fact_read(root, nested, &facts->nested);
    nest_host_fact_read(root, slat, &facts->slat_parameter);
}

static GStrv find_other_modules(const char *root)
{
    static const char *const names[] = {"vboxdrv", "vmmon"};
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename("sys/module", names[i], NULL);
        if (nest_host_file_exists(root, path))
            g_strv_builder_add(found, names[i]);
    }
    return g_strv_builder_end(found);
}

static gboolean is_foreign_vm(const char *root, const char *pid, char **ret_name)
{
    static const char *const names[] = {"VBoxHeadless", "VirtualBoxVM", "vmware-vmx", NULL};
    if (!g_ascii_isdigit(pid[0]))
        return FALSE;
    g_autofree char *path = g_build_filename("proc", pid, "comm", NULL);
    *ret_name = nest_host_file_line(root, path, NULL);
    return *ret_name != NULL && g_strv_contains(names, *ret_name);
}

static GStrv find_other_vms(const char *root)
{
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    g_autofree char *proc = g_build_filename(root, "proc", NULL);
    g_autoptr(GDir) dir = g_dir_open(proc, 0, NULL);
    const char *entry;
    for (guint i = 0; dir != NULL && i < PROCESSES_MAX; i++) {
        if ((entry = g_dir_read_name(dir)) == NULL)
            break;
        g_autofree char *name = NULL;
        if (is_foreign_vm(root, entry, &name))
            g_strv_builder_add(found, name);
    }
    return g_strv_builder_end(found);
}

static void probe_others(const char *root, NestHostFacts *facts)
{
    facts->other_modules = find_other_modules(root);
    facts->other_vms = facts->other_modules[0] != NULL ? find_other_vms(root) : g_new0(char *, 1);
}

/* A VM that was created on hardware KVM proves more than any register. */
static void probe_firmware(const char *root, NestHostFacts *facts)
{
    if (facts->kvm.vm_created && (facts->vmx || facts->svm) &&
        g_strcmp0(facts->kvm_module, "kvm_pvm") != 0) {
        facts->firmware_lock_known = TRUE;
        facts->firmware_lock_read = g_strdup("/dev/kvm: a VM was created with the extension");
        return;
    }
    NestFirmwareLock lock;
    nest_firmware_lock_read(root, facts, &lock);
    facts->firmware_lock_known = lock.known;
    facts->firmware_locked = lock.locked;
    facts->firmware_lock_read = lock.read;
}

NestHostFacts *nest_host_probe_nesting(const char *root)
{
    NestHostFacts *facts = g_new0(NestHostFacts, 1);
    facts->kernel = nest_host_file_line(root, "proc/sys/kernel/osrelease", NULL);
    facts->kernel_build = nest_host_file_line(root, "proc/sys/kernel/version", NULL);
    probe_cpuinfo(root, facts);
    probe_module(root, facts);
    return facts;
}

NestHostFacts *nest_host_probe(const char *root)
{
    NestHostFacts *facts = nest_host_probe_nesting(root);
    probe_identity(root, facts);
    probe_outer(root, facts);
    nest_kvm_try(root, &facts->kvm);
    probe_firmware(root, facts);
    probe_others(root, facts);
    nest_host_tuning_read(root, facts->kvm_module, &facts->tuning);
    return facts;
}

NestExtension nest_host_extension(const NestHostFacts *facts)
{
    if (facts->firmware_locked)
        return NEST_EXTENSION_NONE;
    return facts->vmx ? NEST_EXTENSION_VMX : facts->svm ? NEST_EXTENSION_SVM : NEST_EXTENSION_NONE;
}

gboolean nest_host_hardware_kvm(const NestHostFacts *facts)
{
    const char *module = nest_host_extension(facts) == NEST_EXTENSION_VMX ? "kvm_intel"
        : nest_host_extension(facts) == NEST_EXTENSION_SVM                ? "kvm_amd"
                                                                          : NULL;
    return module != NULL && g_strcmp0(facts->kvm_module, module) == 0 && facts->kvm.vm_created;
}

gboolean nest_host_nested(const NestHostFacts *facts)
{
    const char *nested = facts->nested.value;
    return g_strcmp0(nested, "Y") == 0 || g_strcmp0(nested, "1") == 0;
}

gboolean nest_host_kvm_nests(const NestHostFacts *facts)
{
    return nest_host_hardware_kvm(facts) && nest_host_nested(facts);
}

gboolean nest_host_slat(const NestHostFacts *facts)
{
    const char *used = facts->slat_parameter.value;
    gboolean switched_off = g_strcmp0(used, "N") == 0 || g_strcmp0(used, "0") == 0;
    return ((facts->vmx && facts->ept) || (facts->svm && facts->npt)) && !switched_off;
}
