/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-likeness.h"
#include "nest-domain-read.h"
#include "nest-error.h"
#include "nest-patch.h"
#include <string.h>

void nest_domain_likeness_free(NestDomainLikeness *likeness)
{
    if (likeness == NULL)
        return;
    g_free(likeness->type);
    g_free(likeness->arch);
    g_free(likeness->machine);
    g_free(likeness->cpu);
    g_free(likeness->features);
    g_free(likeness->clock);
    g_free(likeness->emulator);
    g_free(likeness);
}

static gboolean check(const NestDomain *domain, GError **error)
{
    if (!nest_domain_is_x86(domain) ||
        (strcmp(domain->type, "kvm") != 0 && strcmp(domain->type, "qemu") != 0)) {
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "nesting can't be proved for a VM of type %s and architecture %s", domain->type,
            domain->arch != NULL ? domain->arch : "x86_64");
        return FALSE;
    }
    if (domain->cpu_override) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "Take the CPU out of <qemu:commandline>",
            "the definition hands QEMU a CPU of its own in <qemu:commandline>");
        return FALSE;
    }
    return TRUE;
}

/* The text without what of the CPU depends on how many there are. */
static char *strip(const NestDocument *document)
{
    static const char *const dependent[] = {"topology", "numa", "cache"};
    const xmlNode *cpu = nest_element_child(document->root, "cpu");
    g_autoptr(NestPatch) patch = nest_patch_new(document);
    for (guint i = 0; i < G_N_ELEMENTS(dependent); i++)
        for (const xmlNode *child = nest_element_child(cpu, dependent[i]); child != NULL;
             child = nest_element_next(child, dependent[i]))
            nest_patch_remove(patch, child);
    return nest_patch_apply(patch);
}

static char *cut(const NestDocument *document, const xmlNode *element)
{
    if (element == NULL)
        return g_strdup("");
    const NestSpan *span = nest_document_span(document, element);
    return g_strndup(document->text + span->start, span->end - span->start);
}

static char *cut_features(const NestDocument *document)
{
    static const char *const kinds[] = {"apic", "hyperv", "kvm", "pmu"};
    const xmlNode *features = nest_element_child(document->root, "features");
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *one = cut(document, nest_element_child(features, kinds[i]));
        g_string_append(text, one);
    }
    return g_strdup(text->str);
}

/* A <cpu> without mode and model, but with a topology, leaves the CPU to the hypervisor. */
static gboolean has_cpu(const NestDomain *domain)
{
    return domain->cpu_mode != NULL &&
        (strcmp(domain->cpu_mode, "custom") != 0 || domain->cpu_model != NULL);
}

NestDomainLikeness *nest_domain_likeness(const char *xml, GError **error)
{
    g_autoptr(NestDocument) whole = nest_document_parse(xml, error);
    if (whole == NULL)
        return NULL;
    g_autofree char *text = strip(whole);
    g_autoptr(NestDocument) document = nest_document_parse(text, error);
    g_autoptr(NestDomain) domain =
        document != NULL ? nest_domain_from_document(document, error) : NULL;
    if (domain == NULL || !check(domain, error))
        return NULL;
    const xmlNode *root = document->root;
    NestDomainLikeness *likeness = g_new0(NestDomainLikeness, 1);
    likeness->type = g_strdup(domain->type);
    likeness->arch = g_strdup(domain->arch);
    likeness->machine = g_strdup(domain->machine);
    likeness->cpu = has_cpu(domain) ? cut(document, nest_element_child(root, "cpu")) : g_strdup("");
    likeness->features = cut_features(document);
    likeness->clock = cut(document, nest_element_child(root, "clock"));
    likeness->emulator =
        cut(document, nest_element_child(nest_element_child(root, "devices"), "emulator"));
    return likeness;
}
