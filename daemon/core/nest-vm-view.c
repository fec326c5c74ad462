/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-view.h"
#include <string.h>

static gboolean is_tcg(const NestVmView *view)
{
    return view->domain != NULL && view->domain->accel == NEST_ACCEL_TCG;
}

NestExtension nest_vm_view_extension(const NestVmView *view)
{
    if (is_tcg(view))
        return NEST_EXTENSION_SVM;
    if (view->host != NULL && view->host->cpuinfo_read)
        return nest_host_extension(view->host);
    return view->caps != NULL ? view->caps->kvm_extension : NEST_EXTENSION_NONE;
}

NestNesting nest_vm_view_nesting(const NestVmView *view)
{
    if (view->domain == NULL)
        return NEST_NESTING_OFF;
    NestExtension extension = nest_vm_view_extension(view);
    if (extension != NEST_EXTENSION_NONE)
        return nest_domain_nesting(view->domain, extension);
    NestNesting vmx = nest_domain_nesting(view->domain, NEST_EXTENSION_VMX);
    NestNesting svm = nest_domain_nesting(view->domain, NEST_EXTENSION_SVM);
    NestNesting most = MAX(vmx, svm);
    gboolean host_known = view->host != NULL && view->host->cpuinfo_read;
    return most == NEST_NESTING_IMPLICIT && host_known ? NEST_NESTING_OFF : most;
}

static gboolean is_asked(NestFeaturePolicy policy)
{
    return policy == NEST_POLICY_REQUIRE || policy == NEST_POLICY_FORCE;
}

NestNesting nest_vm_view_nesting_by(const NestVmView *view, const char *xml)
{
    g_autoptr(NestDomain) domain = xml != NULL ? nest_domain_read(xml, NULL) : NULL;
    NestVmView then = *view;
    then.domain = domain;
    return domain != NULL ? nest_vm_view_nesting(&then) : NEST_NESTING_IMPLICIT;
}

gboolean nest_vm_domain_asks(const NestDomain *domain, NestExtension extension)
{
    return (extension == NEST_EXTENSION_VMX && is_asked(domain->vmx)) ||
        (extension == NEST_EXTENSION_SVM && is_asked(domain->svm));
}

static gboolean is_hidden(NestFeaturePolicy policy)
{
    return policy == NEST_POLICY_DISABLE || policy == NEST_POLICY_FORBID;
}

gboolean nest_vm_domain_hides(const NestDomain *domain, NestExtension extension)
{
    return (extension == NEST_EXTENSION_VMX && is_hidden(domain->vmx)) ||
        (extension == NEST_EXTENSION_SVM && is_hidden(domain->svm));
}

gboolean nest_vm_domain_of_host(const NestDomain *domain)
{
    return g_strcmp0(domain->cpu_mode, "host-passthrough") == 0 ||
        g_strcmp0(domain->cpu_mode, "maximum") == 0;
}

static gboolean policy_differs(NestFeaturePolicy stored, NestFeaturePolicy live)
{
    return (is_asked(stored) && !is_asked(live)) || (is_hidden(stored) && !is_hidden(live));
}

/* libvirt prints host-model, and no CPU at all, as a custom model with the features it found. */
static gboolean mode_is_rewritten(const char *mode)
{
    return mode == NULL || strcmp(mode, "host-model") == 0 || strcmp(mode, "custom") == 0;
}

gboolean nest_vm_view_pending(const NestVmView *view)
{
    const NestDomain *stored = view->domain, *live = view->live;
    if (stored == NULL || live == NULL)
        return FALSE;
    if (policy_differs(stored->vmx, live->vmx) || policy_differs(stored->svm, live->svm))
        return TRUE;
    if (mode_is_rewritten(stored->cpu_mode) && mode_is_rewritten(live->cpu_mode))
        return FALSE;
    return g_strcmp0(stored->cpu_mode, live->cpu_mode) != 0 ||
        is_asked(stored->vmx) != is_asked(live->vmx) ||
        is_asked(stored->svm) != is_asked(live->svm);
}

gboolean nest_vm_view_exposed(const NestVmView *view)
{
    NestVmView running = *view;
    running.domain = view->live;
    return view->facts->live_xml != NULL &&
        (view->live == NULL || nest_vm_view_nesting(&running) != NEST_NESTING_OFF);
}

NestActivity nest_vm_view_activity(const NestVmView *view)
{
    if (view->facts->live_xml == NULL)
        return NEST_ACTIVITY_NONE;
    NestActivity activity = view->marks != NULL ? view->marks->activity : NEST_ACTIVITY_NONE;
    if (activity > NEST_ACTIVITY_EXPOSED)
        return activity;
    if (!nest_vm_view_exposed(view))
        return NEST_ACTIVITY_OFF;
    return activity == NEST_ACTIVITY_NONE ? NEST_ACTIVITY_UNKNOWN : activity;
}

NestGift *nest_vm_view_gift(const NestVmView *view)
{
    return is_tcg(view) ? nest_gift_of_tcg(view->caps) : nest_gift_of_kvm(view->host, view->caps);
}
