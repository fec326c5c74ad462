/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-likeness.h"
#include "nest-domain-xml.h"
#include <string.h>

#define MEMORY_MIB 32

/* As a VM that nests has it: see nest_domain_new_xml(). */
static char *cpu_xml(const NestBootDomain *boot)
{
    const char *mode = boot->accel == NEST_ACCEL_KVM ? "host-passthrough" : "maximum";
    const char *feature = boot->extension == NEST_EXTENSION_VMX ? "vmx" : "svm";
    if (boot->extension == NEST_EXTENSION_NONE)
        return g_strdup_printf("<cpu mode='%s' check='none' migratable='on'/>", mode);
    return g_strdup_printf("<cpu mode='%s' check='full' migratable='on'>"
                           "<feature policy='require' name='%s'/></cpu>",
        mode, feature);
}

static NestDomainLikeness *likeness_of_new(const NestBootDomain *boot)
{
    NestDomainLikeness *likeness = g_new0(NestDomainLikeness, 1);
    likeness->type = g_strdup(boot->accel == NEST_ACCEL_KVM ? "kvm" : "qemu");
    likeness->arch = g_strdup("x86_64");
    likeness->machine = g_strdup("q35");
    likeness->cpu = cpu_xml(boot);
    likeness->features = g_strdup("");
    likeness->clock = g_strdup("");
    likeness->emulator = g_strdup("");
    return likeness;
}

static void add_attribute(GString *text, const char *name, const char *value)
{
    g_autofree char *escaped = value != NULL ? g_markup_escape_text(value, -1) : NULL;
    if (escaped != NULL)
        g_string_append_printf(text, " %s='%s'", name, escaped);
}

static char *os_xml(const NestBootDomain *boot, const NestDomainLikeness *likeness)
{
    g_autoptr(GString) type = g_string_new("<os><type");
    add_attribute(type, "arch", likeness->arch);
    add_attribute(type, "machine", likeness->machine);
    g_autofree char *loader = boot->firmware != NULL
        ? g_markup_printf_escaped("<loader readonly='yes' type='rom'>%s</loader>", boot->firmware)
        : g_strdup("");
    g_autofree char *rest = g_markup_printf_escaped(
        "<kernel>%s</kernel><cmdline>%s</cmdline></os>", boot->kernel, boot->cmdline);
    return g_strconcat(type->str, ">hvm</type>", loader, rest, NULL);
}

/* Without it libvirt reads the words of CPUID, as it did with QEMUs that are older than it. */
#define BRIEF \
    "<qemu:capabilities><qemu:del capability='cpu-unavailable-features'/></qemu:capabilities>"
#define NAMESPACE " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"

char *nest_domain_boot_xml(const NestBootDomain *boot, GError **error)
{
    g_autoptr(NestDomainLikeness) likeness =
        boot->like != NULL ? nest_domain_likeness(boot->like, error) : likeness_of_new(boot);
    if (likeness == NULL)
        return NULL;
    g_autofree char *os = os_xml(boot, likeness);
    g_autofree char *serial = g_markup_printf_escaped(
        "<serial type='file'><source path='%s'/><target port='0'/></serial>", boot->console);
    const char *apic = strstr(likeness->features, "<apic") != NULL ? "" : "<apic/>";
    return g_strdup_printf(
        "<domain type='%s'%s><name>%s</name><memory unit='MiB'>%d</memory><vcpu>1</vcpu>%s"
        "<features><acpi/>%s%s</features>%s%s"
        "<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>"
        "<on_crash>destroy</on_crash><devices>%s%s<controller type='usb' model='none'/>"
        "<memballoon model='none'/></devices>%s</domain>\n",
        likeness->type, boot->brief ? NAMESPACE : "", boot->name, MEMORY_MIB, os, apic,
        likeness->features, likeness->cpu, likeness->clock, likeness->emulator, serial,
        boot->brief ? BRIEF : "");
}
