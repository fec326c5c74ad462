/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-read.h"
#include "nest-domain-xml.h"
#include "nest-error.h"
#include <string.h>

void nest_domain_free(NestDomain *domain)
{
    if (domain == NULL)
        return;
    g_free(domain->uuid);
    g_free(domain->name);
    g_free(domain->type);
    g_free(domain->arch);
    g_free(domain->machine);
    g_free(domain->cpu_mode);
    g_free(domain->cpu_model);
    g_free(domain->console_log);
    g_ptr_array_unref(domain->interfaces);
    nest_domain_extras_clear(&domain->extras);
    g_free(domain);
}

static gboolean refuse(GError **error, const char *element, const char *why)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
        "not a usable domain definition: <%s> %s", element, why);
    return FALSE;
}

/* libvirt's units of memory: https://libvirt.org/formatdomain.html#memory-allocation */
static const struct {
    const char *name;
    guint64 bytes;
} units[] = {
    {"b", 1},
    {"bytes", 1},
    {"byte", 1},
    {"k", G_GUINT64_CONSTANT(1) << 10},
    {"kib", G_GUINT64_CONSTANT(1) << 10},
    {"kb", 1000},
    {"m", G_GUINT64_CONSTANT(1) << 20},
    {"mib", G_GUINT64_CONSTANT(1) << 20},
    {"mb", 1000 * 1000},
    {"g", G_GUINT64_CONSTANT(1) << 30},
    {"gib", G_GUINT64_CONSTANT(1) << 30},
    {"gb", 1000 * 1000 * 1000},
    {"t", G_GUINT64_CONSTANT(1) << 40},
    {"tib", G_GUINT64_CONSTANT(1) << 40},
    {"tb", G_GUINT64_CONSTANT(1000) * 1000 * 1000 * 1000},
    {"p", G_GUINT64_CONSTANT(1) << 50},
    {"pib", G_GUINT64_CONSTANT(1) << 50},
    {"pb", G_GUINT64_CONSTANT(1000) * 1000 * 1000 * 1000 * 1000},
    {"e", G_GUINT64_CONSTANT(1) << 60},
    {"eib", G_GUINT64_CONSTANT(1) << 60},
    {"eb", G_GUINT64_CONSTANT(1000) * 1000 * 1000 * 1000 * 1000 * 1000},
};

static guint64 unit_bytes(const char *name)
{
    if (name == NULL || *name == '\0')
        return 1024;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_ascii_strcasecmp(units[i].name, name) == 0)
            return units[i].bytes;
    return 0;
}

/* text in unit, in KiB and rounded up as libvirt does. */
static gboolean to_kib(const char *text, const char *unit, guint64 *ret_kib)
{
    guint64 amount, bytes;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &amount, NULL) ||
        unit_bytes(unit) == 0 || !g_uint64_checked_mul(&bytes, amount, unit_bytes(unit)))
        return FALSE;
    *ret_kib = bytes / 1024 + (bytes % 1024 != 0 ? 1 : 0);
    return TRUE;
}

static gboolean read_kib(const xmlNode *element, guint64 *ret_kib, GError **error)
{
    g_autofree char *text = nest_element_text(element);
    g_autofree char *unit = nest_element_get(element, "unit");
    if (element == NULL || to_kib(text, unit, ret_kib))
        return TRUE;
    return refuse(error, (const char *)element->name, "does not hold an amount of memory");
}

xmlNode *nest_domain_numa(const NestDocument *document)
{
    const xmlNode *cpu = nest_element_child(document->root, "cpu");
    return nest_element_child(nest_element_child(cpu, "numa"), "cell");
}

/* Without <memory> there is as much of it as the NUMA cells have. */
static gboolean read_numa_kib(const NestDocument *document, guint64 *ret_kib, GError **error)
{
    guint64 sum = 0;
    for (const xmlNode *cell = nest_domain_numa(document); cell != NULL;
         cell = nest_element_next(cell, "cell")) {
        g_autofree char *text = nest_element_get(cell, "memory");
        g_autofree char *unit = nest_element_get(cell, "unit");
        guint64 kib;
        if (text == NULL || !to_kib(text, unit, &kib) || !g_uint64_checked_add(&sum, sum, kib))
            return refuse(error, "cell", "does not hold an amount of memory");
    }
    *ret_kib = sum;
    return TRUE;
}

static gboolean read_memory(const NestDocument *document, NestDomain *domain, GError **error)
{
    const xmlNode *memory = nest_element_child(document->root, "memory");
    guint64 current = 0;
    if (!read_kib(memory, &domain->memory_kib, error) ||
        !read_kib(nest_element_child(document->root, "currentMemory"), &current, error))
        return FALSE;
    if (domain->memory_kib == 0 && !read_numa_kib(document, &domain->memory_kib, error))
        return FALSE;
    domain->memory_divided = nest_domain_numa(document) != NULL ||
        nest_element_child(document->root, "maxMemory") != NULL;
    /* As libvirt has it: none is all, and more than all is all. */
    if (current == 0 || current > domain->memory_kib)
        current = domain->memory_kib;
    domain->current_memory_kib = current;
    return TRUE;
}

/* Where libvirt would take the first of several and others the last, we take none. */
static gboolean check_single(const NestDocument *document, GError **error)
{
    static const char *const names[] = {
        "name", "uuid", "memory", "currentMemory", "vcpu", "os", "cpu", "devices"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const xmlNode *first = nest_element_child(document->root, names[i]);
        if (first != NULL && nest_element_next(first, names[i]) != NULL)
            return refuse(error, names[i], "is there more than once");
    }
    return TRUE;
}

static gboolean read_vcpus(const NestDocument *document, NestDomain *domain, GError **error)
{
    guint64 vcpus = 1;
    const xmlNode *element = nest_element_child(document->root, "vcpu");
    g_autofree char *text = nest_element_text(element);
    if (text != NULL && *text != '\0' &&
        !g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT16, &vcpus, NULL))
        return refuse(error, "vcpu", "does not hold a number of CPUs");
    domain->vcpus = vcpus;
    return TRUE;
}

NestFeaturePolicy nest_domain_policy(const xmlNode *feature)
{
    static const struct {
        const char *name;
        NestFeaturePolicy policy;
    } rows[] = {
        {"force", NEST_POLICY_FORCE},
        {"require", NEST_POLICY_REQUIRE},
        {"optional", NEST_POLICY_OPTIONAL},
        {"disable", NEST_POLICY_DISABLE},
        {"forbid", NEST_POLICY_FORBID},
    };
    g_autofree char *policy = nest_element_get(feature, "policy");
    for (guint i = 0; policy != NULL && i < G_N_ELEMENTS(rows); i++)
        if (strcmp(policy, rows[i].name) == 0)
            return rows[i].policy;
    return policy == NULL ? NEST_POLICY_REQUIRE : NEST_POLICY_UNSET;
}

static void read_cpu(const NestDocument *document, NestDomain *domain)
{
    const xmlNode *cpu = nest_element_child(document->root, "cpu");
    if (cpu == NULL)
        return;
    domain->cpu_mode = nest_element_get(cpu, "mode");
    if (domain->cpu_mode == NULL)
        domain->cpu_mode = g_strdup("custom");
    g_autofree char *model = nest_element_text(nest_element_child(cpu, "model"));
    if (model != NULL && *model != '\0')
        domain->cpu_model = g_steal_pointer(&model);
    domain->check_full = nest_element_has(cpu, "check", "full");
    for (const xmlNode *feature = nest_element_child(cpu, "feature"); feature != NULL;
         feature = nest_element_next(feature, "feature")) {
        if (nest_element_has(feature, "name", "vmx"))
            domain->vmx = nest_domain_policy(feature);
        else if (nest_element_has(feature, "name", "svm"))
            domain->svm = nest_domain_policy(feature);
    }
}

static NestInterface *read_interface(const xmlNode *element)
{
    static const char *const sources[] = {"network", "bridge", "dev", "name", "path", "address"};
    NestInterface *interface = g_new0(NestInterface, 1);
    const xmlNode *source = nest_element_child(element, "source");
    interface->type = nest_element_get(element, "type");
    for (guint i = 0; interface->source == NULL && i < G_N_ELEMENTS(sources); i++)
        interface->source = nest_element_get(source, sources[i]);
    interface->mac = nest_element_get(nest_element_child(element, "mac"), "address");
    interface->target = nest_element_get(nest_element_child(element, "target"), "dev");
    interface->filter = nest_element_get(nest_element_child(element, "filterref"), "filter");
    return interface;
}

/* Either a log beside what the port is connected to, or a file that it is connected to. */
static char *read_console_log(const xmlNode *devices)
{
    const xmlNode *serial = nest_element_child(devices, "serial");
    char *file = nest_element_get(nest_element_child(serial, "log"), "file");
    if (file == NULL && nest_element_has(serial, "type", "file"))
        file = nest_element_get(nest_element_child(serial, "source"), "path");
    return file;
}

static void read_devices(const NestDocument *document, NestDomain *domain)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    const xmlNode *balloon = nest_element_child(devices, "memballoon");
    domain->console_log = read_console_log(devices);
    domain->balloon = balloon == NULL || !nest_element_has(balloon, "model", "none");
    for (const xmlNode *child = nest_element_child(devices, "interface"); child != NULL;
         child = nest_element_next(child, "interface"))
        g_ptr_array_add(domain->interfaces, read_interface(child));
}

/* TRUE if an argument of QEMU chooses the CPU or sets properties of it: -cpu, or -global with a
 * name like max-x86_64-cpu.svm, or a file that may hold either. */
static gboolean chooses_cpu(const xmlNode *arg)
{
    static const char *const options[] = {"-cpu", "--cpu", "-readconfig", "--readconfig", NULL};
    g_autofree char *value = nest_element_get(arg, "value");
    return value != NULL &&
        (g_strv_contains(options, value) || strstr(value, "x86_64-cpu") != NULL ||
            strstr(value, "i386-cpu") != NULL);
}

/* TRUE if arguments are handed to QEMU that choose the CPU behind libvirt's back. */
static gboolean read_override(const NestDocument *document)
{
    for (const xmlNode *node = document->root->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || node->ns == NULL ||
            strcmp((const char *)node->name, "commandline") != 0)
            continue;
        for (const xmlNode *arg = node->children; arg != NULL; arg = arg->next)
            if (arg->type == XML_ELEMENT_NODE && strcmp((const char *)arg->name, "arg") == 0 &&
                chooses_cpu(arg))
                return TRUE;
    }
    return FALSE;
}

NestDomain *nest_domain_from_document(const NestDocument *document, GError **error)
{
    g_autoptr(NestDomain) domain = g_new0(NestDomain, 1);
    domain->interfaces = g_ptr_array_new_with_free_func((GDestroyNotify)nest_interface_free);
    if (!check_single(document, error))
        return NULL;
    const xmlNode *root = document->root;
    const xmlNode *type = nest_element_child(nest_element_child(root, "os"), "type");
    domain->uuid = nest_element_text(nest_element_child(root, "uuid"));
    domain->name = nest_element_text(nest_element_child(root, "name"));
    domain->type = nest_element_get(root, "type");
    domain->accel = strcmp(domain->type, "kvm") == 0 ? NEST_ACCEL_KVM : NEST_ACCEL_TCG;
    domain->arch = nest_element_get(type, "arch");
    domain->machine = nest_element_get(type, "machine");
    if (!read_memory(document, domain, error) || !read_vcpus(document, domain, error))
        return NULL;
    read_cpu(document, domain);
    read_devices(document, domain);
    domain->cpu_override = read_override(document);
    nest_domain_read_extras(document, &domain->extras);
    return g_steal_pointer(&domain);
}

NestDomain *nest_domain_read(const char *xml, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    return document != NULL ? nest_domain_from_document(document, error) : NULL;
}
