/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-trust.h"
#include "nest-error.h"
#include <string.h>

gboolean nest_vm_trust_is_missing(const NestVmView *view)
{
    return view->marks != NULL && view->marks->trust == NEST_TRUST_UNTRUSTED;
}

static gboolean reaches_nothing(const NestVmView *view)
{
    return view->domain != NULL && view->domain->accel == NEST_ACCEL_TCG;
}

static void append(GString *list, const char *text, gsize length)
{
    if (length == 0)
        return;
    if (list->len > 0)
        g_string_append(list, ", ");
    g_string_append_len(list, text, length);
}

static void append_advice(GString *list, const NestVmView *view, NestAdviceState state)
{
    if (view->advice == NULL)
        return;
    g_autoptr(GPtrArray) found = nest_advice_refusing(view->advice, state);
    g_autofree char *ids = nest_advice_ids(found);
    append(list, ids, strlen(ids));
}

/* Of "mds: Vulnerable" the name. */
static void append_flaws(GString *list, GStrv flaws)
{
    for (; flaws != NULL && *flaws != NULL; flaws++)
        append(list, *flaws, strcspn(*flaws, ":"));
}

static void append_what(GString *list, const char *what)
{
    append(list, what, strlen(what));
}

static char *finish(GString *list)
{
    gboolean empty = list->len == 0;
    return g_string_free(list, empty);
}

char *nest_vm_trust_open(const NestVmView *view)
{
    if (reaches_nothing(view))
        return NULL;
    GString *list = g_string_new(NULL);
    append_advice(list, view, NEST_ADVICE_AFFECTED);
    if (view->host != NULL)
        append_flaws(list, view->host->tuning.vulnerable);
    return finish(list);
}

char *nest_vm_trust_unproved(const NestVmView *view)
{
    if (reaches_nothing(view))
        return NULL;
    GString *list = g_string_new(NULL);
    if (view->advice == NULL)
        append_what(list, "flaws of the kernel");
    append_advice(list, view, NEST_ADVICE_UNKNOWN);
    if (view->host == NULL || view->host->tuning.vulnerabilities.value == NULL)
        append_what(list, "flaws of the CPU");
    else
        append_flaws(list, view->host->tuning.flaws_unknown);
    return finish(list);
}

gboolean nest_vm_trust_refuses(const NestVmView *view, GError **error)
{
    if (!nest_vm_trust_is_missing(view))
        return FALSE;
    g_autofree char *open = nest_vm_trust_open(view);
    if (open == NULL)
        return FALSE;
    g_autofree char *next = g_strdup_printf("update the kernel and the microcode of the host, see "
                                            "nestctl check; or: nestctl trust %s trusted",
        view->facts->name);
    nest_set_error(error, NEST_ERROR_HOST_UNFIT, next,
        "%s is untrusted and must not nest here, where it could reach what is open: %s",
        view->facts->name, open);
    if (error != NULL)
        nest_error_set_check(*error, "vm.trust");
    return TRUE;
}
