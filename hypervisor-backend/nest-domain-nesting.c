/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-read.h"
#include <string.h>

/* The CPU models of libvirt's cpu_map that have svm; none has vmx. */
static gboolean model_has_svm(const char *model)
{
    static const char *const models[] = {
        "qemu64", "phenom", "Dhyana", "Opteron_G2", "Opteron_G3", "Opteron_G4", "Opteron_G5", NULL};
    return g_str_has_prefix(model, "EPYC") || g_strv_contains(models, model);
}

gboolean nest_domain_is_x86(const NestDomain *domain)
{
    return domain->arch == NULL || strcmp(domain->arch, "x86_64") == 0 ||
        strcmp(domain->arch, "i686") == 0;
}

const char *nest_domain_default_model(const NestDomain *domain)
{
    return g_strcmp0(domain->arch, "i686") == 0 ? "qemu32" : "qemu64";
}

/* What a CPU passes on of which nothing is said. QEMU itself keeps svm of its named models from
 * KVM guests, but distributions have changed that. */
static NestNesting nesting_unsaid(const NestDomain *domain, NestExtension extension)
{
    if (extension == NEST_EXTENSION_VMX && domain->accel != NEST_ACCEL_KVM)
        return NEST_NESTING_OFF;
    if (domain->cpu_mode != NULL && strcmp(domain->cpu_mode, "custom") != 0)
        return NEST_NESTING_IMPLICIT;
    const char *model = domain->cpu_model;
    if (model == NULL)
        model = nest_domain_default_model(domain);
    return extension == NEST_EXTENSION_SVM && model_has_svm(model) ? NEST_NESTING_IMPLICIT
                                                                   : NEST_NESTING_OFF;
}

static gboolean is_enforced(const NestDomain *domain)
{
    const char *mode = domain->accel == NEST_ACCEL_KVM ? "host-passthrough" : "maximum";
    return domain->check_full && g_strcmp0(domain->cpu_mode, mode) == 0;
}

NestNesting nest_domain_nesting(const NestDomain *domain, NestExtension extension)
{
    if (extension == NEST_EXTENSION_NONE || !nest_domain_is_x86(domain))
        return NEST_NESTING_OFF;
    if (domain->cpu_override)
        return NEST_NESTING_IMPLICIT;
    switch (extension == NEST_EXTENSION_VMX ? domain->vmx : domain->svm) {
    case NEST_POLICY_DISABLE:
    case NEST_POLICY_FORBID:
        return NEST_NESTING_OFF;
    case NEST_POLICY_REQUIRE:
        return is_enforced(domain) ? NEST_NESTING_ON : NEST_NESTING_UNENFORCED;
    case NEST_POLICY_FORCE:
        return NEST_NESTING_UNENFORCED;
    case NEST_POLICY_OPTIONAL:
        return NEST_NESTING_IMPLICIT;
    case NEST_POLICY_UNSET:
        break;
    }
    return nesting_unsaid(domain, extension);
}

gboolean nest_domain_memory_is_dynamic(const NestDomain *domain)
{
    return domain->balloon && domain->current_memory_kib != domain->memory_kib;
}

/* Those of libvirt's own filters that are, or refer to, no-mac-spoofing or no-arp-mac-spoofing. */
gboolean nest_filter_blocks_foreign_macs(const char *filter)
{
    static const char *const filters[] = {"clean-traffic", "clean-traffic-gateway",
        "no-mac-spoofing", "no-arp-mac-spoofing", "no-arp-spoofing", NULL};
    return filter != NULL && g_strv_contains(filters, filter);
}
