/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"

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

char *nest_domain_boot_xml(const NestBootDomain *boot)
{
    g_autofree char *cpu = cpu_xml(boot);
    g_autofree char *os = g_markup_printf_escaped(
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>%s</cmdline></os>",
        boot->kernel, boot->cmdline);
    g_autofree char *serial = g_markup_printf_escaped(
        "<serial type='file'><source path='%s'/><target port='0'/></serial>", boot->console);
    return g_strdup_printf(
        "<domain type='%s'><name>%s</name><memory unit='MiB'>%d</memory><vcpu>1</vcpu>%s"
        "<features><acpi/><apic/></features>%s"
        "<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>"
        "<on_crash>destroy</on_crash><devices>%s<controller type='usb' model='none'/>"
        "<memballoon model='none'/></devices></domain>\n",
        boot->accel == NEST_ACCEL_KVM ? "kvm" : "qemu", boot->name, MEMORY_MIB, os, cpu, serial);
}
