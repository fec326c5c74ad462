/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-caps.h"
#include "nest-libvirt.h"
#include "nest-virt-error.h"
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define ARCH "x86_64"
#define MACHINE "q35"
#define XML_MAX (4 * 1024 * 1024)
/* Each QEMU that is installed is started, twice. What takes longer goes on, and libvirt keeps what
 * it comes to for whoever asks next. */
#define PROBE_TIMEOUT_MS 60000

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)

void nest_domain_caps_clear(NestDomainCaps *caps)
{
    g_clear_pointer(&caps->host_model, g_free);
}

static xmlDocPtr parse(const char *xml)
{
    gsize length = strlen(xml);

    if (length > XML_MAX)
        return NULL;
    return xmlReadMemory(
        xml, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static gboolean is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, BAD_CAST name);
}

static gboolean has(xmlNodePtr node, const char *name, const char *value)
{
    xmlChar *present = xmlGetProp(node, BAD_CAST name);
    gboolean equal = xmlStrEqual(present, BAD_CAST value);

    xmlFree(present);
    return equal;
}

static char *cpu_from_mode(xmlDocPtr document, xmlNodePtr mode)
{
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();

    for (xmlNodePtr node = mode->children; node != NULL; node = node->next)
        if (is(node, "model") || is(node, "vendor") || is(node, "feature"))
            xmlNodeDump(buffer, document, node, 0, 0);
    return g_strdup_printf("<cpu>%s</cpu>", (const char *)xmlBufferContent(buffer));
}

gboolean nest_domain_caps_read(const char *xml, NestDomainCaps *ret_caps)
{
    g_autoptr(xmlDoc) document = parse(xml);
    xmlNodePtr root = document != NULL ? xmlDocGetRootElement(document) : NULL;
    xmlNodePtr cpu = NULL;
    g_auto(NestDomainCaps) caps = {.host_model = NULL};

    if (root == NULL || !is(root, "domainCapabilities"))
        return FALSE;
    for (cpu = root->children; cpu != NULL && !is(cpu, "cpu");)
        cpu = cpu->next;
    for (xmlNodePtr mode = cpu != NULL ? cpu->children : NULL; mode != NULL; mode = mode->next) {
        if (!is(mode, "mode") || !has(mode, "supported", "yes"))
            continue;
        if (has(mode, "name", "host-passthrough"))
            caps.host_passthrough = TRUE;
        if (has(mode, "name", "maximum"))
            caps.maximum = TRUE;
        if (has(mode, "name", "host-model") && caps.host_model == NULL)
            caps.host_model = cpu_from_mode(document, mode);
    }
    *ret_caps = caps;
    caps.host_model = NULL;
    return TRUE;
}

NestExtension nest_domain_caps_extension(const char *cpu_xml)
{
    g_autoptr(xmlDoc) document = parse(cpu_xml);
    xmlNodePtr root = document != NULL ? xmlDocGetRootElement(document) : NULL;

    for (xmlNodePtr node = root != NULL ? root->children : NULL; node != NULL; node = node->next) {
        if (!is(node, "feature") || has(node, "policy", "disable") || has(node, "policy", "forbid"))
            continue;
        if (has(node, "name", "vmx"))
            return NEST_EXTENSION_VMX;
        if (has(node, "name", "svm"))
            return NEST_EXTENSION_SVM;
    }
    return NEST_EXTENSION_NONE;
}

/* The host model is a named CPU model and its differences; what the model itself contains (EPYC
 * contains svm) only libvirt knows, so it is asked to expand it. */
static NestExtension ask_extension(virConnectPtr connection, const char *type, const char *cpu)
{
    const char *cpus[] = {cpu};
    g_autofree char *expanded = NULL;

    if (cpu == NULL)
        return NEST_EXTENSION_NONE;
    expanded = virConnectBaselineHypervisorCPU(
        connection, NULL, ARCH, MACHINE, type, cpus, 1, VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    return nest_domain_caps_extension(expanded != NULL ? expanded : cpu);
}

/* FALSE where libvirt offers no domains of type. */
static gboolean ask(
    virConnectPtr connection, const char *type, NestDomainCaps *ret_caps, NestExtension *extension)
{
    g_autofree char *xml =
        virConnectGetDomainCapabilities(connection, NULL, ARCH, MACHINE, type, 0);

    if (xml == NULL || !nest_domain_caps_read(xml, ret_caps))
        return FALSE;
    *extension = ask_extension(connection, type, ret_caps->host_model);
    return TRUE;
}

/* The <arch name='x86_64'> of the guests. */
static xmlNodePtr find_arch(xmlNodePtr capabilities)
{
    for (xmlNodePtr guest = capabilities->children; guest != NULL; guest = guest->next)
        for (xmlNodePtr node = is(guest, "guest") ? guest->children : NULL; node != NULL;
             node = node->next)
            if (is(node, "arch") && has(node, "name", ARCH))
                return node;
    return NULL;
}

gboolean nest_domain_caps_machines(const char *xml, GStrv *ret_machines, GStrv *ret_old)
{
    g_autoptr(xmlDoc) document = parse(xml);
    xmlNodePtr root = document != NULL ? xmlDocGetRootElement(document) : NULL;
    xmlNodePtr arch = root != NULL && is(root, "capabilities") ? find_arch(root) : NULL;
    g_autoptr(GStrvBuilder) machines = g_strv_builder_new();
    g_autoptr(GStrvBuilder) old = g_strv_builder_new();

    if (arch == NULL)
        return FALSE;
    for (xmlNodePtr node = arch->children; node != NULL; node = node->next) {
        xmlChar *name = is(node, "machine") ? xmlNodeGetContent(node) : NULL;
        if (name == NULL)
            continue;
        g_strv_builder_add(machines, (const char *)name);
        if (has(node, "deprecated", "yes"))
            g_strv_builder_add(old, (const char *)name);
        xmlFree(name);
    }
    *ret_machines = g_strv_builder_end(machines);
    *ret_old = g_strv_builder_end(old);
    return TRUE;
}

static void ask_machines(virConnectPtr connection, NestBackendCaps *caps)
{
    char *xml = virConnectGetCapabilities(connection);

    if (xml != NULL)
        nest_domain_caps_machines(xml, &caps->machines, &caps->old_machines);
    free(xml);
}

static char *version_text(unsigned long version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

/* What only a QEMU knows, which libvirt starts to ask it, and again once its program is another. */
typedef struct {
    virConnectPtr connection;
    NestBackendCaps *caps;
} Errand;

static void errand_free(gpointer data)
{
    Errand *errand = data;

    virConnectClose(errand->connection);
    nest_backend_caps_free(errand->caps);
    g_free(errand);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Errand, errand_free)

static gboolean ask_qemu(gpointer data, GError **error)
{
    const Errand *errand = data;
    virConnectPtr connection = errand->connection;
    NestBackendCaps *caps = errand->caps;
    g_auto(NestDomainCaps) kvm = {.host_model = NULL};
    g_auto(NestDomainCaps) tcg = {.host_model = NULL};
    NestExtension extension = NEST_EXTENSION_NONE;
    unsigned long version = 0;

    if (ask(connection, "kvm", &kvm, &extension)) {
        caps->kvm = kvm.host_passthrough;
        caps->kvm_extension = caps->kvm ? extension : NEST_EXTENSION_NONE;
    }
    if (ask(connection, "qemu", &tcg, &extension)) {
        caps->tcg = tcg.maximum;
        caps->tcg_extension =
            caps->tcg && extension == NEST_EXTENSION_SVM ? extension : NEST_EXTENSION_NONE;
    }
    if (virConnectGetVersion(connection, &version) == 0 && version > 0)
        caps->qemu_version = version_text(version);
    ask_machines(connection, caps);
    return TRUE;
}

gboolean nest_libvirt_caps(NestLibvirt *self, NestBackendCaps **ret_caps, GError **error)
{
    g_autoptr(virConnect) connection = NULL;
    unsigned long version = 0;
    Errand *asked;

    if (!nest_libvirt_get(self, &connection, error))
        return FALSE;
    if (virConnectGetLibVersion(connection, &version) < 0) {
        nest_virt_error_set(error, connection, "Cannot ask libvirt for its version");
        return FALSE;
    }
    asked = g_new0(Errand, 1);
    virConnectRef(connection);
    asked->connection = connection;
    asked->caps = g_new0(NestBackendCaps, 1);
    asked->caps->libvirt_version = version_text(version);
    asked->caps->uri = g_strdup(self->options.uri);
    if (!nest_libvirt_run_daemon(ask_qemu, asked, errand_free, self->probing, PROBE_TIMEOUT_MS,
            "Cannot ask what QEMU can do", error))
        return FALSE;
    g_autoptr(Errand) errand = asked;
    errand->caps->networks = nest_libvirt_has_networks(self);
    if (virConnectIsAlive(connection) == 0) {
        nest_set_error(error, NEST_ERROR_BACKEND_UNAVAILABLE, NULL,
            "The connection to libvirt broke while it was asked what it can do");
        return FALSE;
    }
    *ret_caps = g_steal_pointer(&errand->caps);
    return TRUE;
}
