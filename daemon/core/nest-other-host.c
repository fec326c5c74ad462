/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-other-host.h"

#define KVM \
    { \
        .present = TRUE, .opened = TRUE, .api_version = 12, .vm_created = TRUE \
    }

static const NestHostFacts intel = {.cpuinfo_read = TRUE,
    .vmx = TRUE,
    .ept = TRUE,
    .kvm_module = (char *)"kvm_intel",
    .nested = {.path = (char *)"of the other host", .value = (char *)"Y"},
    .kvm = KVM};
static const NestHostFacts amd = {.cpuinfo_read = TRUE,
    .svm = TRUE,
    .npt = TRUE,
    .kvm_module = (char *)"kvm_amd",
    .nested = {.path = (char *)"of the other host", .value = (char *)"1"},
    .kvm = KVM};

void nest_other_host_move(NestVmView *view, NestExtension extension)
{
    gboolean tcg = view->domain != NULL && view->domain->accel == NEST_ACCEL_TCG;
    view->host = extension == NEST_EXTENSION_VMX ? &intel : &amd;
    if (!tcg)
        view->caps = NULL;
}
