/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan-refusal.h"
#include "nest-guard.h"
#include "nest-vm-trust.h"
#include <string.h>

static gboolean refuse_vm(const NestVmView *view, GError **error)
{
    const NestDomain *domain = view->domain;
    const char *name = view->facts->name;
    if (domain == NULL) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "look at it with: virsh dumpxml",
            "the definition of %s could not be read", name);
        return TRUE;
    }
    /* Only what libvirt has not completed yet names none: it will be that of the host. */
    if (domain->arch != NULL && strcmp(domain->arch, "x86_64") != 0) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "use a VM of architecture x86_64",
            "%s is of architecture %s: nesting is known for x86_64 only", name, domain->arch);
        return TRUE;
    }
    if (g_strcmp0(domain->type, "kvm") != 0 && g_strcmp0(domain->type, "qemu") != 0) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "use a VM of type kvm or qemu",
            "%s is of type %s: nesting is known for kvm and qemu only", name,
            domain->type != NULL ? domain->type : "unknown");
        nest_error_set_check(*error, "vm.type");
        return TRUE;
    }
    if (domain->cpu_override) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "take -cpu out of <qemu:commandline>",
            "%s hands QEMU a CPU of its own on the command line", name);
        nest_error_set_check(*error, "vm.cpu.conflict");
        return TRUE;
    }
    return FALSE;
}

static gboolean refuse_host(const NestVmView *view, GError **error)
{
    g_autoptr(NestGift) gift = nest_vm_view_gift(view);
    gboolean nameless = nest_vm_view_extension(view) == NEST_EXTENSION_NONE;
    if (gift->answer != NEST_GIFT_NEVER && !nameless)
        return FALSE;
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, gift->next, "%s can't nest: %s", view->facts->name,
        gift->reason);
    nest_error_set_check(*error, "host.cpu.virt");
    return TRUE;
}

static gboolean refuse_untrusted(const NestVmView *view, GError **error)
{
    return nest_policy_refuses(view->policy, view->facts->name, error) ||
        nest_vm_trust_refuses(view, error);
}

gboolean nest_plan_refuses(const NestVmView *view, gboolean enable, GError **error)
{
    return refuse_vm(view, error) ||
        (enable && (refuse_host(view, error) || refuse_untrusted(view, error)));
}

gboolean nest_plan_refuses_switch(const NestVmView *view, NestNesting then, GError **error)
{
    return then >= NEST_NESTING_UNENFORCED &&
        nest_vm_view_nesting(view) < NEST_NESTING_UNENFORCED &&
        nest_policy_refuses(view->policy, view->facts->name, error);
}

/* The rows of power and of nesting are the same under each policy. */
static gboolean guards(NestGuarded operation, const NestVmView *view, GError **error)
{
    return view->live != NULL && !nest_guard_allows(operation, view, NEST_PARITY_HYPERV, error);
}

gboolean nest_plan_only_asks(const NestVmView *view)
{
    return view->facts->state != NEST_VM_CRASHED && guards(NEST_GUARD_STOP, view, NULL);
}

gboolean nest_plan_refuses_now(const NestVmView *view, gboolean hides, GError **error)
{
    const char *name = view->facts->name;
    if (hides && guards(NEST_GUARD_DISABLE, view, error))
        return TRUE;
    if (view->facts->state != NEST_VM_PAUSED || !nest_plan_only_asks(view))
        return FALSE;
    g_autofree char *next = g_strdup_printf("nestctl resume %s, then try again", name);
    nest_set_error(error, NEST_ERROR_VM_STATE, next,
        "%s is paused and may host other VMs: it can't shut down, and is not powered off", name);
    nest_error_set_check(*error, "guard.stop");
    return TRUE;
}
