/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-read.h"
#include "nest-domain-xml.h"
#include "nest-error.h"
#include "nest-patch.h"
#include <string.h>

static const char *extension_name(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? "vmx" : "svm";
}

static const char *other_extension_name(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? "svm" : "vmx";
}

/* The n-th <feature> of that name, or NULL. */
static xmlNode *find_feature(const xmlNode *cpu, const char *name, guint n)
{
    xmlNode *feature = nest_element_child(cpu, "feature");
    for (; feature != NULL; feature = nest_element_next(feature, "feature"))
        if (nest_element_has(feature, "name", name) && n-- == 0)
            break;
    return feature;
}

static gboolean is_once(const xmlNode *cpu, const char *name)
{
    return find_feature(cpu, name, 0) != NULL && find_feature(cpu, name, 1) == NULL;
}

static gboolean is_asked_for(const xmlNode *cpu, const char *name)
{
    const xmlNode *feature;
    for (guint n = 0; (feature = find_feature(cpu, name, n)) != NULL; n++) {
        NestFeaturePolicy policy = nest_domain_policy(feature);
        if (policy == NEST_POLICY_REQUIRE || policy == NEST_POLICY_FORCE)
            return TRUE;
    }
    return FALSE;
}

static gboolean is_hidden(const xmlNode *cpu, const char *name)
{
    NestFeaturePolicy policy =
        is_once(cpu, name) ? nest_domain_policy(find_feature(cpu, name, 0)) : NEST_POLICY_UNSET;
    return policy == NEST_POLICY_DISABLE || policy == NEST_POLICY_FORBID;
}

/* The flaw functions say what is not as wished, NULL where all is. */
static const char *nesting_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *cpu = nest_element_child(document->root, "cpu");
    if (wish->nesting == NEST_WISH_KEEP)
        return NULL;
    if (domain->cpu_override)
        return "its <qemu:commandline> chooses the CPU";
    if (wish->nesting == NEST_WISH_HIDE)
        return !nest_domain_is_x86(domain) || (is_hidden(cpu, "vmx") && is_hidden(cpu, "svm"))
            ? NULL
            : "it does not disable both vmx and svm";
    if (nest_domain_nesting(domain, wish->extension) != NEST_NESTING_ON ||
        !is_once(cpu, extension_name(wish->extension)))
        return "it does not require the virtualization extension and enforce it";
    return is_asked_for(cpu, other_extension_name(wish->extension))
        ? "it requires the virtualization extension of the other vendor"
        : NULL;
}

static const char *memory_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    const xmlNode *balloon = nest_element_child(devices, "memballoon");
    if (domain->memory_kib < wish->memory_kib || domain->current_memory_kib < wish->memory_kib)
        return "it has less memory than wished";
    if (!wish->fix_memory)
        return NULL;
    if (domain->current_memory_kib != domain->memory_kib)
        return "its memory is not fixed: currentMemory is not memory";
    return domain->balloon || nest_element_next(balloon, "memballoon") != NULL
        ? "its memory is not fixed: it has a balloon"
        : NULL;
}

static gboolean is_blocking(const xmlNode *filterref)
{
    g_autofree char *filter = nest_element_get(filterref, "filter");
    return nest_filter_blocks_foreign_macs(filter);
}

/* The blocking <filterref> after previous, of any interface; the first one for NULL. */
static xmlNode *next_blocking(const xmlNode *devices, const xmlNode *previous)
{
    xmlNode *interface =
        previous != NULL ? previous->parent : nest_element_child(devices, "interface");
    xmlNode *filterref = previous != NULL ? nest_element_next(previous, "filterref")
                                          : nest_element_child(interface, "filterref");
    while (interface != NULL) {
        for (; filterref != NULL; filterref = nest_element_next(filterref, "filterref"))
            if (is_blocking(filterref))
                return filterref;
        interface = nest_element_next(interface, "interface");
        filterref = nest_element_child(interface, "filterref");
    }
    return NULL;
}

static const char *macs_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    return wish->allow_macs && next_blocking(devices, NULL) != NULL
        ? "a filter blocks the MAC addresses of inner VMs"
        : NULL;
}

static gboolean check_expose(const NestDomain *domain, const NestDomainWish *wish, GError **error)
{
    if (wish->extension == NEST_EXTENSION_NONE) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "no extension to expose was named");
        return FALSE;
    }
    if (!nest_domain_is_x86(domain) ||
        (domain->accel != NEST_ACCEL_KVM && strcmp(domain->type, "qemu") != 0 &&
            strcmp(domain->type, "test") != 0)) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "a VM of type %s and architecture %s cannot nest", domain->type,
            domain->arch != NULL ? domain->arch : "x86_64");
        return FALSE;
    }
    if (domain->accel == NEST_ACCEL_TCG && wish->extension == NEST_EXTENSION_VMX) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, "Expose svm, or let the VM use KVM",
            "QEMU's software CPU has no vmx");
        return FALSE;
    }
    return TRUE;
}

/* Sets the policy of a feature that is there, once; returns FALSE where it is not. */
static gboolean set_policy(
    NestPatch *patch, const xmlNode *cpu, const char *name, const char *policy)
{
    const xmlNode *feature = find_feature(cpu, name, 0);
    if (feature == NULL)
        return FALSE;
    nest_patch_attribute(patch, feature, "policy", policy);
    for (guint n = 1; (feature = find_feature(cpu, name, n)) != NULL; n++)
        nest_patch_remove(patch, feature);
    return TRUE;
}

static void remove_children(NestPatch *patch, const xmlNode *parent, const char *name)
{
    for (xmlNode *child = nest_element_child(parent, name); child != NULL;
         child = nest_element_next(child, name))
        nest_patch_remove(patch, child);
}

/* Puts a new <cpu> where libvirt writes it. */
static void insert_cpu(NestPatch *patch, const char *const *lines)
{
    static const char *const before[] = {"features", "os", "vcpu", "currentMemory", "memory"};
    const xmlNode *root = patch->document->root;
    for (guint i = 0; i < G_N_ELEMENTS(before); i++) {
        const xmlNode *element = nest_element_child(root, before[i]);
        if (element != NULL) {
            nest_patch_insert_after(patch, element, lines);
            return;
        }
    }
    nest_patch_append(patch, root, lines);
}

static void expose(NestPatch *patch, const NestDomain *domain, NestExtension extension)
{
    const xmlNode *cpu = nest_element_child(patch->document->root, "cpu");
    const char *mode = domain->accel == NEST_ACCEL_KVM ? "host-passthrough" : "maximum";
    const char *name = extension_name(extension);
    g_autofree char *open = g_strdup_printf("<cpu mode='%s' check='full' migratable='on'>", mode);
    g_autofree char *feature = g_strdup_printf("\t<feature policy='require' name='%s'/>", name);
    if (cpu == NULL) {
        insert_cpu(patch, (const char *const[]){open, feature, "</cpu>", NULL});
        return;
    }
    nest_patch_attribute(patch, cpu, "mode", mode);
    nest_patch_attribute(patch, cpu, "match", NULL);
    nest_patch_attribute(patch, cpu, "check", "full");
    if (nest_element_has(cpu, "migratable", NULL))
        nest_patch_attribute(patch, cpu, "migratable", "on");
    remove_children(patch, cpu, "model");
    remove_children(patch, cpu, "vendor");
    const char *other = other_extension_name(extension);
    const xmlNode *foreign;
    for (guint n = 0; (foreign = find_feature(cpu, other, n)) != NULL; n++)
        if (is_asked_for(cpu, other))
            nest_patch_remove(patch, foreign);
    if (!set_policy(patch, cpu, name, "require"))
        nest_patch_append(patch, cpu, (const char *const[]){feature + 1, NULL});
}

#define FEATURE_OFF(name) "<feature policy='disable' name='" name "'/>"

/* libvirt takes features only with a CPU mode or model; this is the CPU it chooses by itself. */
static void insert_default_cpu(NestPatch *patch, const char *model)
{
    insert_cpu(patch,
        (const char *const[]){"<cpu mode='custom' match='exact' check='none'>", model,
            "\t" FEATURE_OFF("vmx"), "\t" FEATURE_OFF("svm"), "</cpu>", NULL});
}

static void hide(NestPatch *patch, const NestDomain *domain)
{
    const xmlNode *cpu = nest_element_child(patch->document->root, "cpu");
    gboolean is_i686 = g_strcmp0(domain->arch, "i686") == 0;
    const char *model = is_i686 ? "\t<model fallback='forbid'>qemu32</model>"
                                : "\t<model fallback='forbid'>qemu64</model>";
    if (cpu == NULL) {
        insert_default_cpu(patch, model);
        return;
    }
    const char *lines[4] = {NULL};
    guint n = 0;
    if (strcmp(domain->cpu_mode, "custom") == 0 && domain->cpu_model == NULL) {
        static const char *const defaults[][2] = {
            {"mode", "custom"}, {"match", "exact"}, {"check", "none"}};
        for (guint i = 0; i < G_N_ELEMENTS(defaults); i++)
            if (nest_element_has(cpu, defaults[i][0], NULL))
                nest_patch_attribute(patch, cpu, defaults[i][0], defaults[i][1]);
        remove_children(patch, cpu, "model");
        lines[n++] = model + 1;
    }
    if (!set_policy(patch, cpu, "vmx", "disable"))
        lines[n++] = FEATURE_OFF("vmx");
    if (!set_policy(patch, cpu, "svm", "disable"))
        lines[n++] = FEATURE_OFF("svm");
    nest_patch_append(patch, cpu, lines);
}

static gboolean edit_nesting(
    NestPatch *patch, const NestDomain *domain, const NestDomainWish *wish, GError **error)
{
    if (wish->nesting == NEST_WISH_EXPOSE && !check_expose(domain, wish, error))
        return FALSE;
    if (nesting_flaw(patch->document, domain, wish) == NULL)
        return TRUE;
    if (domain->cpu_override) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "Take -cpu out of <qemu:commandline>",
            "the definition hands QEMU a CPU of its own in <qemu:commandline>");
        return FALSE;
    }
    if (wish->nesting == NEST_WISH_EXPOSE)
        expose(patch, domain, wish->extension);
    else
        hide(patch, domain);
    return TRUE;
}

static void set_kib(NestPatch *patch, const xmlNode *element, guint64 kib)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, kib);
    if (!nest_element_has(element, "unit", NULL))
        nest_patch_attribute(patch, element, "unit", "KiB");
    nest_patch_text(patch, element, text);
}

/* Raises <memory>, which NUMA cells and a maximum for hot-plug would contradict. */
static gboolean raise_memory(
    NestPatch *patch, const NestDomain *domain, guint64 kib, GError **error)
{
    const xmlNode *root = patch->document->root;
    const xmlNode *memory = nest_element_child(root, "memory");
    if (kib <= domain->memory_kib)
        return TRUE;
    if (nest_domain_numa(patch->document) != NULL ||
        nest_element_child(root, "maxMemory") != NULL) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT,
            "Raise <memory> and the memory of the NUMA cells by hand",
            "the memory of the VM is divided into NUMA cells or hot-plugged, and cannot be raised "
            "as a whole");
        return FALSE;
    }
    set_kib(patch, memory, kib);
    return TRUE;
}

static void set_current_memory(NestPatch *patch, const NestDomain *domain, guint64 kib)
{
    const xmlNode *memory = nest_element_child(patch->document->root, "memory");
    const xmlNode *current = nest_element_child(patch->document->root, "currentMemory");
    if (current == NULL || kib == domain->current_memory_kib)
        return;
    if (memory == NULL || kib != domain->memory_kib) {
        set_kib(patch, current, kib);
        return;
    }
    g_autofree char *text = nest_element_text(memory);
    g_autofree char *unit = nest_element_get(memory, "unit");
    nest_patch_attribute(patch, current, "unit", unit);
    nest_patch_text(patch, current, text);
}

#define NO_BALLOON "<memballoon model='none'/>"

/* Without <memballoon> libvirt would add one. */
static void remove_balloon(NestPatch *patch)
{
    const xmlNode *devices = nest_element_child(patch->document->root, "devices");
    const xmlNode *balloon = nest_element_child(devices, "memballoon");
    if (devices == NULL) {
        nest_patch_append(patch, patch->document->root,
            (const char *const[]){"<devices>", "\t" NO_BALLOON, "</devices>", NULL});
        return;
    }
    if (balloon == NULL) {
        nest_patch_append(patch, devices, (const char *const[]){NO_BALLOON, NULL});
        return;
    }
    if (!nest_element_has(balloon, "model", "none"))
        nest_patch_replace(patch, balloon, NO_BALLOON);
    while ((balloon = nest_element_next(balloon, "memballoon")) != NULL)
        nest_patch_remove(patch, balloon);
}

static gboolean edit_memory(
    NestPatch *patch, const NestDomain *domain, const NestDomainWish *wish, GError **error)
{
    if (memory_flaw(patch->document, domain, wish) == NULL)
        return TRUE;
    if (domain->memory_kib == 0) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL,
            "not a usable domain definition: it has no memory");
        return FALSE;
    }
    guint64 current = MAX(domain->current_memory_kib, wish->memory_kib);
    if (!raise_memory(patch, domain, wish->memory_kib, error))
        return FALSE;
    if (wish->fix_memory)
        current = MAX(domain->memory_kib, wish->memory_kib);
    set_current_memory(patch, domain, current);
    if (wish->fix_memory)
        remove_balloon(patch);
    return TRUE;
}

static void edit_macs(NestPatch *patch, const NestDomainWish *wish)
{
    const xmlNode *devices = nest_element_child(patch->document->root, "devices");
    const xmlNode *filterref = wish->allow_macs ? next_blocking(devices, NULL) : NULL;
    for (; filterref != NULL; filterref = next_blocking(devices, filterref))
        nest_patch_remove(patch, filterref);
}

char *nest_domain_edit(const char *xml, const NestDomainWish *wish, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    g_autoptr(NestDomain) domain =
        document != NULL ? nest_domain_from_document(document, error) : NULL;
    if (domain == NULL)
        return NULL;
    g_autoptr(NestPatch) patch = nest_patch_new(document);
    if (!edit_nesting(patch, domain, wish, error) || !edit_memory(patch, domain, wish, error))
        return NULL;
    edit_macs(patch, wish);
    g_autofree char *edited = nest_patch_apply(patch);
    if (!nest_domain_satisfies(edited, wish, error)) {
        g_prefix_error(error, "the edited definition is not as wished: ");
        return NULL;
    }
    return g_steal_pointer(&edited);
}

gboolean nest_domain_satisfies(const char *xml, const NestDomainWish *wish, GError **error)
{
    g_autoptr(NestDocument) document = nest_document_parse(xml, error);
    g_autoptr(NestDomain) domain =
        document != NULL ? nest_domain_from_document(document, error) : NULL;
    if (domain == NULL)
        return FALSE;
    const char *flaw = nesting_flaw(document, domain, wish);
    flaw = flaw != NULL ? flaw : memory_flaw(document, domain, wish);
    flaw = flaw != NULL ? flaw : macs_flaw(document, domain, wish);
    if (flaw != NULL)
        nest_set_error(
            error, NEST_ERROR_NOT_VERIFIED, NULL, "the definition is not as wished: %s", flaw);
    return flaw == NULL;
}
