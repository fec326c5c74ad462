/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-drift.h"
#include "nest-barrier.h"

static void add(GString *text, gboolean there, const char *what)
{
    if (there)
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", what);
}

/* What of its interfaces is not open any more. */
static char *closed(const NestVmView *view)
{
    g_autoptr(NestVmNet) net =
        view->net == NULL ? nest_vm_net_new(NULL, view->domain, view->live) : NULL;
    return nest_barrier_back(net != NULL ? net : view->net, view->marks->open);
}

char *nest_vm_drift(const NestVmView *view)
{
    if (view->marks == NULL || !view->marks->guarded || view->domain == NULL)
        return NULL;
    NestNesting nesting = nest_vm_view_nesting(view);
    gboolean dynamic = nest_domain_memory_is_dynamic(view->domain);
    g_autofree char *barriers = closed(view);
    g_autoptr(GString) text = g_string_new(NULL);
    add(text, nesting == NEST_NESTING_OFF, "nesting is off");
    add(text, nesting == NEST_NESTING_IMPLICIT, "nesting is not asked for");
    add(text, nesting == NEST_NESTING_UNENFORCED, "nesting is not enforced");
    add(text, dynamic, "memory is dynamic");
    add(text, !dynamic && view->domain->balloon, "it has a balloon");
    add(text, barriers != NULL, barriers);
    if (text->len == 0)
        return NULL;
    g_autofree char *now = nest_domain_fingerprint(view->facts->xml);
    return g_strcmp0(now, view->marks->left_as) == 0 ? NULL : g_strdup(text->str);
}
