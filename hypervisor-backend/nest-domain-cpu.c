/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-cpu.h"
#include "nest-domain-read.h"
#include "nest-error.h"
#include <string.h>

static const char *extension_name(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? "vmx" : "svm";
}

static NestExtension other(NestExtension extension)
{
    return extension == NEST_EXTENSION_VMX ? NEST_EXTENSION_SVM : NEST_EXTENSION_VMX;
}

/* TRUE if the feature is a part of extension and cannot be without it. For svm these are the
 * features of CPUID leaf 0x8000000A in libvirt's cpu_map. */
static gboolean is_part(const xmlNode *feature, NestExtension extension)
{
    static const char *const parts[] = {"npt", "lbrv", "svm-lock", "nrip-save", "tsc-scale",
        "vmcb-clean", "flushbyasid", "decodeassists", "pause-filter", "pfthreshold", "avic",
        "v-vmsave-vmload", "vgif", "vnmi", "x2avic", "svme-addr-chk", NULL};
    g_autofree char *name = nest_element_get(feature, "name");
    if (name == NULL)
        return FALSE;
    return extension == NEST_EXTENSION_VMX ? g_str_has_prefix(name, "vmx-")
                                           : g_strv_contains(parts, name);
}

static gboolean is_asked_for(const xmlNode *feature)
{
    NestFeaturePolicy policy = nest_domain_policy(feature);
    return policy == NEST_POLICY_REQUIRE || policy == NEST_POLICY_FORCE;
}

/* The first <feature> after previous (NULL: of all) that asks for a part of extension, or with
 * whole for extension itself. */
static xmlNode *next_asked_for(
    const xmlNode *cpu, const xmlNode *previous, NestExtension extension, gboolean whole)
{
    const char *name = extension_name(extension);
    xmlNode *feature = previous != NULL ? nest_element_next(previous, "feature")
                                        : nest_element_child(cpu, "feature");
    for (; feature != NULL; feature = nest_element_next(feature, "feature"))
        if (is_asked_for(feature) &&
            (is_part(feature, extension) || (whole && nest_element_has(feature, "name", name))))
            break;
    return feature;
}

/* The first <feature> of that name after previous (NULL: of all), or NULL. */
static xmlNode *next_feature(const xmlNode *cpu, const xmlNode *previous, const char *name)
{
    xmlNode *feature = previous != NULL ? nest_element_next(previous, "feature")
                                        : nest_element_child(cpu, "feature");
    while (feature != NULL && !nest_element_has(feature, "name", name))
        feature = nest_element_next(feature, "feature");
    return feature;
}

static gboolean is_once(const xmlNode *cpu, const char *name)
{
    const xmlNode *feature = next_feature(cpu, NULL, name);
    return feature != NULL && next_feature(cpu, feature, name) == NULL;
}

static gboolean is_hidden(const xmlNode *cpu, NestExtension extension)
{
    const char *name = extension_name(extension);
    NestFeaturePolicy policy =
        is_once(cpu, name) ? nest_domain_policy(next_feature(cpu, NULL, name)) : NEST_POLICY_UNSET;
    return policy == NEST_POLICY_DISABLE || policy == NEST_POLICY_FORBID;
}

static const char *hide_flaw(const xmlNode *cpu, const NestDomain *domain)
{
    if (!nest_domain_is_x86(domain))
        return NULL;
    if (!is_hidden(cpu, NEST_EXTENSION_VMX) || !is_hidden(cpu, NEST_EXTENSION_SVM))
        return "it does not disable both vmx and svm";
    return next_asked_for(cpu, NULL, NEST_EXTENSION_VMX, FALSE) != NULL ||
            next_asked_for(cpu, NULL, NEST_EXTENSION_SVM, FALSE) != NULL
        ? "it requires a part of a virtualization extension"
        : NULL;
}

const char *nest_domain_cpu_flaw(
    const NestDocument *document, const NestDomain *domain, const NestDomainWish *wish)
{
    const xmlNode *cpu = nest_element_child(document->root, "cpu");
    if (wish->nesting == NEST_WISH_KEEP)
        return NULL;
    if (domain->cpu_override && nest_domain_is_x86(domain))
        return "its <qemu:commandline> chooses the CPU";
    if (wish->nesting == NEST_WISH_HIDE)
        return hide_flaw(cpu, domain);
    if (nest_domain_nesting(domain, wish->extension) != NEST_NESTING_ON ||
        !is_once(cpu, extension_name(wish->extension)))
        return "it does not require the virtualization extension and enforce it";
    return next_asked_for(cpu, NULL, other(wish->extension), TRUE) != NULL
        ? "it requires the virtualization extension of the other vendor"
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

/* Sets the policy of a feature and takes out repetitions; FALSE where there is no such feature. */
static gboolean set_policy(
    NestPatch *patch, const xmlNode *cpu, const char *name, const char *policy)
{
    const xmlNode *feature = next_feature(cpu, NULL, name);
    if (feature == NULL)
        return FALSE;
    nest_patch_attribute(patch, feature, "policy", policy);
    while ((feature = next_feature(cpu, feature, name)) != NULL)
        nest_patch_remove(patch, feature);
    return TRUE;
}

static void remove_asked_for(
    NestPatch *patch, const xmlNode *cpu, NestExtension extension, gboolean whole)
{
    const xmlNode *feature = NULL;
    while ((feature = next_asked_for(cpu, feature, extension, whole)) != NULL)
        nest_patch_remove(patch, feature);
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
    remove_asked_for(patch, cpu, other(extension), TRUE);
    if (!set_policy(patch, cpu, name, "require"))
        nest_patch_append(patch, cpu, (const char *const[]){feature + 1, NULL});
}

#define FEATURE_OFF(name) "<feature policy='disable' name='" name "'/>"

/* Features need a CPU mode or model; this is the CPU that libvirt chooses where there is none. */
static guint name_default_model(
    NestPatch *patch, const xmlNode *cpu, const char *model, const char **lines)
{
    static const char *const defaults[][2] = {
        {"mode", "custom"}, {"match", "exact"}, {"check", "none"}};
    for (guint i = 0; i < G_N_ELEMENTS(defaults); i++)
        if (nest_element_has(cpu, defaults[i][0], NULL))
            nest_patch_attribute(patch, cpu, defaults[i][0], defaults[i][1]);
    remove_children(patch, cpu, "model");
    lines[0] = model;
    return 1;
}

static void hide(NestPatch *patch, const NestDomain *domain)
{
    const xmlNode *cpu = nest_element_child(patch->document->root, "cpu");
    g_autofree char *model =
        g_strdup_printf("\t<model fallback='forbid'>%s</model>", nest_domain_default_model(domain));
    if (cpu == NULL) {
        insert_cpu(patch,
            (const char *const[]){"<cpu mode='custom' match='exact' check='none'>", model,
                "\t" FEATURE_OFF("vmx"), "\t" FEATURE_OFF("svm"), "</cpu>", NULL});
        return;
    }
    const char *lines[4] = {NULL};
    guint n = 0;
    if (strcmp(domain->cpu_mode, "custom") == 0 && domain->cpu_model == NULL)
        n = name_default_model(patch, cpu, model + 1, lines);
    remove_asked_for(patch, cpu, NEST_EXTENSION_VMX, FALSE);
    remove_asked_for(patch, cpu, NEST_EXTENSION_SVM, FALSE);
    if (!set_policy(patch, cpu, "vmx", "disable"))
        lines[n++] = FEATURE_OFF("vmx");
    if (!set_policy(patch, cpu, "svm", "disable"))
        lines[n++] = FEATURE_OFF("svm");
    nest_patch_append(patch, cpu, lines);
}

gboolean nest_domain_cpu_edit(
    NestPatch *patch, const NestDomain *domain, const NestDomainWish *wish, GError **error)
{
    if (wish->nesting == NEST_WISH_EXPOSE && !check_expose(domain, wish, error))
        return FALSE;
    if (nest_domain_cpu_flaw(patch->document, domain, wish) == NULL)
        return TRUE;
    if (domain->cpu_override) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "Take the CPU out of <qemu:commandline>",
            "the definition hands QEMU a CPU of its own in <qemu:commandline>");
        return FALSE;
    }
    if (wish->nesting == NEST_WISH_EXPOSE)
        expose(patch, domain, wish->extension);
    else
        hide(patch, domain);
    return TRUE;
}
