/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guard.h"
#include "nest-error.h"

typedef struct {
    NestGuarded operation;
    gboolean (*forbids)(const NestVmView *view);
    NestErrorCode code;
    const char *reason; /* %s: the VM's name */
    const char *next; /* likewise; NULL where the host's gift tells cause and way out */
} GuardRow;

static gboolean asks_for_nesting(const NestDomain *domain, NestExtension extension)
{
    NestNesting nesting = nest_domain_nesting(domain, extension);
    return nesting == NEST_NESTING_ON || nesting == NEST_NESTING_UNENFORCED;
}

static gboolean stored_nesting(const NestVmView *view)
{
    return view->domain->vmx == NEST_POLICY_REQUIRE || view->domain->svm == NEST_POLICY_REQUIRE ||
        asks_for_nesting(view->domain, nest_vm_view_extension(view));
}

static gboolean running_nesting(const NestVmView *view)
{
    return view->live != NULL && asks_for_nesting(view->live, nest_vm_view_extension(view));
}

static gboolean dynamic_memory(const NestVmView *view)
{
    return stored_nesting(view) && nest_domain_memory_is_dynamic(view->domain);
}

static gboolean host_cannot(const NestVmView *view)
{
    g_autoptr(NestGift) gift = nest_vm_view_gift(view);
    return stored_nesting(view) &&
        (gift->answer == NEST_GIFT_NOT_NOW || gift->answer == NEST_GIFT_NEVER);
}

static gboolean wrong_extension(const NestVmView *view)
{
    NestExtension extension = nest_vm_view_extension(view);
    return (view->domain->vmx == NEST_POLICY_REQUIRE && extension == NEST_EXTENSION_SVM) ||
        (view->domain->svm == NEST_POLICY_REQUIRE && extension == NEST_EXTENSION_VMX);
}

static const GuardRow rows[] = {
    {NEST_GUARD_START, wrong_extension, NEST_ERROR_HOST_UNFIT,
        "%s asks for the virtualization extension of another CPU vendor than it would get",
        "nestctl enable %s"},
    {NEST_GUARD_START, host_cannot, NEST_ERROR_HOST_UNFIT,
        "%s is set up for nesting, and the host can't give it the extension", NULL},
    {NEST_GUARD_START, dynamic_memory, NEST_ERROR_VM_UNFIT,
        "%s is set up for nesting and its memory is dynamic; the two don't go together",
        "nestctl enable %s"},
    {NEST_GUARD_SAVE, running_nesting, NEST_ERROR_VM_STATE,
        "%s can't be saved while it may host other VMs: their state would be lost",
        "nestctl shutdown %s"},
};

static char *fill_in(const char *text, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(text, "%s", 2);
    return g_strjoinv(name, parts);
}

static void refuse(const GuardRow *row, const NestVmView *view, GError **error)
{
    g_autofree char *reason = fill_in(row->reason, view->facts->name);
    if (row->next != NULL) {
        g_autofree char *next = fill_in(row->next, view->facts->name);
        nest_set_error(error, row->code, next, "%s", reason);
        return;
    }
    g_autoptr(NestGift) gift = nest_vm_view_gift(view);
    nest_set_error(error, row->code, gift->next, "%s: %s", reason, gift->reason);
}

gboolean nest_guard_allows(NestGuarded operation, const NestVmView *view, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].operation != operation || !rows[i].forbids(view))
            continue;
        refuse(&rows[i], view, error);
        return FALSE;
    }
    return TRUE;
}
