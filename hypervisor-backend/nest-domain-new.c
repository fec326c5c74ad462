/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-xml.h"
#include <libxml/tree.h>
#include <string.h>

/* A child element with text (nullable) and pairs of attribute name and value up to NULL; pairs
 * whose value is NULL are left out. */
G_GNUC_NULL_TERMINATED
static xmlNode *add(xmlNode *parent, const char *name, const char *text, ...)
{
    xmlNode *node = xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
    va_list pairs;
    va_start(pairs, text);
    for (const char *key = va_arg(pairs, const char *); key != NULL;
         key = va_arg(pairs, const char *)) {
        const char *value = va_arg(pairs, const char *);
        if (value != NULL)
            xmlNewProp(node, (const xmlChar *)key, (const xmlChar *)value);
    }
    va_end(pairs);
    return node;
}

static void add_number(xmlNode *parent, const char *name, guint64 number, const char *unit)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    add(parent, name, text, "unit", unit, NULL);
}

static void add_feature(xmlNode *cpu, const char *policy, const char *name)
{
    add(cpu, "feature", NULL, "policy", policy, "name", name, NULL);
}

/* Either enforced, or really off: what a CPU mode passes on by itself is disabled. */
static void add_cpu(xmlNode *domain, const NestVmSpec *spec, const NestNewDomain *chosen)
{
    const char *mode = chosen->accel == NEST_ACCEL_KVM ? "host-passthrough" : "maximum";
    xmlNode *cpu = add(domain, "cpu", NULL, "mode", mode, "check", spec->nested ? "full" : "none",
        "migratable", "on", NULL);
    if (spec->nested) {
        add_feature(cpu, "require", chosen->extension == NEST_EXTENSION_VMX ? "vmx" : "svm");
    } else {
        add_feature(cpu, "disable", "vmx");
        add_feature(cpu, "disable", "svm");
    }
}

static void add_os(xmlNode *domain, const NestVmSpec *spec)
{
    xmlNode *os = add(domain, "os", NULL, NULL);
    add(os, "type", "hvm", "arch", "x86_64", "machine", "q35", NULL);
    if (spec->kernel != NULL)
        add(os, "kernel", spec->kernel, NULL);
    if (spec->kernel != NULL && spec->initrd != NULL)
        add(os, "initrd", spec->initrd, NULL);
    if (spec->kernel != NULL && spec->cmdline != NULL)
        add(os, "cmdline", spec->cmdline, NULL);
    xmlNode *features = add(domain, "features", NULL, NULL);
    add(features, "acpi", NULL, NULL);
    add(features, "apic", NULL, NULL);
}

static void add_clock(xmlNode *domain)
{
    xmlNode *clock = add(domain, "clock", NULL, "offset", "utc", NULL);
    add(clock, "timer", NULL, "name", "rtc", "tickpolicy", "catchup", NULL);
    add(clock, "timer", NULL, "name", "pit", "tickpolicy", "delay", NULL);
    add(clock, "timer", NULL, "name", "hpet", "present", "no", NULL);
    add(domain, "on_poweroff", "destroy", NULL);
    add(domain, "on_reboot", "restart", NULL);
    add(domain, "on_crash", "destroy", NULL);
}

/* The disk boots first: a new, empty one falls through to the ISO, and boots once something has
 * been installed on it. */
static void add_disks(xmlNode *devices, const NestVmSpec *spec, const NestNewDomain *chosen)
{
    if (chosen->disk_path != NULL) {
        xmlNode *disk = add(devices, "disk", NULL, "type", "file", "device", "disk", NULL);
        add(disk, "driver", NULL, "name", "qemu", "type", chosen->disk_format, "discard", "unmap",
            NULL);
        add(disk, "source", NULL, "file", chosen->disk_path, NULL);
        add(disk, "target", NULL, "dev", "vda", "bus", "virtio", NULL);
        add(disk, "boot", NULL, "order", "1", NULL);
    }
    if (spec->iso != NULL) {
        xmlNode *cdrom = add(devices, "disk", NULL, "type", "file", "device", "cdrom", NULL);
        add(cdrom, "driver", NULL, "name", "qemu", "type", "raw", NULL);
        add(cdrom, "source", NULL, "file", spec->iso, NULL);
        add(cdrom, "target", NULL, "dev", "sda", "bus", "sata", NULL);
        add(cdrom, "readonly", NULL, NULL);
        add(cdrom, "boot", NULL, "order", chosen->disk_path != NULL ? "2" : "1", NULL);
    }
}

static void add_interface(xmlNode *devices, const NestVmSpec *spec)
{
    const char *network = spec->network != NULL ? spec->network : "none";
    const char *source = strchr(network, '=');
    if (strcmp(network, "none") == 0)
        return;
    g_autofree char *type = g_strndup(network, strcspn(network, "="));
    xmlNode *interface = add(devices, "interface", NULL, "type", type, NULL);
    if (source != NULL)
        add(interface, "source", NULL, type, source + 1, NULL);
    add(interface, "model", NULL, "type", "virtio", NULL);
    if (spec->filter != NULL)
        add(interface, "filterref", NULL, "filter", spec->filter, NULL);
}

static void add_console(xmlNode *devices, const NestNewDomain *chosen)
{
    xmlNode *serial = add(devices, "serial", NULL, "type", "pty", NULL);
    if (chosen->console_log != NULL)
        add(serial, "log", NULL, "file", chosen->console_log, "append", "on", NULL);
    add(serial, "target", NULL, "port", "0", NULL);
    xmlNode *console = add(devices, "console", NULL, "type", "pty", NULL);
    add(console, "target", NULL, "type", "serial", "port", "0", NULL);
}

static void add_devices(xmlNode *domain, const NestVmSpec *spec, const NestNewDomain *chosen)
{
    xmlNode *devices = add(domain, "devices", NULL, NULL);
    add_disks(devices, spec, chosen);
    add_interface(devices, spec);
    add_console(devices, chosen);
    xmlNode *channel = add(devices, "channel", NULL, "type", "unix", NULL);
    add(channel, "target", NULL, "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
    add(devices, "memballoon", NULL, "model", spec->nested ? "none" : "virtio", NULL);
    xmlNode *rng = add(devices, "rng", NULL, "model", "virtio", NULL);
    add(rng, "backend", "/dev/urandom", "model", "random", NULL);
}

static char *print(const xmlNode *domain)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlNodeDump(buffer, domain->doc, (xmlNode *)domain, 0, 1);
    char *text = g_strconcat((const char *)xmlBufferContent(buffer), "\n", NULL);
    xmlBufferFree(buffer);
    return text;
}

char *nest_domain_new_xml(const NestVmSpec *spec, const NestNewDomain *chosen)
{
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *domain = xmlNewDocNode(doc, NULL, (const xmlChar *)"domain", NULL);
    guint64 current =
        spec->memory_min_kib != 0 && !spec->nested ? spec->memory_min_kib : spec->memory_kib;
    xmlDocSetRootElement(doc, domain);
    xmlNewProp(domain, (const xmlChar *)"type",
        (const xmlChar *)(chosen->accel == NEST_ACCEL_KVM ? "kvm" : "qemu"));
    add(domain, "name", spec->name, NULL);
    if (chosen->uuid != NULL)
        add(domain, "uuid", chosen->uuid, NULL);
    add_number(domain, "memory", spec->memory_kib, "KiB");
    add_number(domain, "currentMemory", current, "KiB");
    add_number(domain, "vcpu", spec->vcpus != 0 ? spec->vcpus : 1, NULL);
    add_os(domain, spec);
    add_cpu(domain, spec, chosen);
    add_clock(domain);
    add_devices(domain, spec, chosen);
    char *text = print(domain);
    xmlFreeDoc(doc);
    return text;
}
