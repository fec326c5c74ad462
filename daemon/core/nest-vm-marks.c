/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-marks.h"
#include "nest-barrier.h"
#include <string.h>

void nest_vm_marks_free(NestVmMarks *marks)
{
    if (marks == NULL)
        return;
    g_free(marks->left_as);
    g_free(marks->open);
    g_free(marks->saved);
    g_free(marks->started_as);
    g_free(marks);
}

static gboolean asks_for_nesting(const NestDomain *domain)
{
    return domain != NULL &&
        (domain->vmx == NEST_POLICY_REQUIRE || domain->svm == NEST_POLICY_REQUIRE);
}

static char *open_in(const NestDomain *domain, NestNet *net)
{
    g_autoptr(NestVmNet) interfaces = nest_vm_net_new(net, domain, NULL);
    return nest_barrier_open(interfaces);
}

static NestStoredMark *with_saved(const NestStoredMark *mark, const char *saved)
{
    NestStoredMark *after = nest_store_mark_copy(mark);
    g_free(after->saved);
    after->saved = g_strdup(saved);
    return after;
}

/* What is not about nesting does not make nestd's own what somebody else has changed before. */
static gboolean is_beside(const NestStoredMark *mark, const NestIntent *intent)
{
    if (!mark->guarded || strcmp(intent->operation->kind, "memory") != 0)
        return FALSE;
    g_autofree char *before = nest_domain_fingerprint(intent->before_xml);
    return g_strcmp0(before, mark->left_as) != 0;
}

/* An operation that left the definition as it was changed nothing that a start would show. */
static void note_definition(NestStoredMark *mark, const NestIntent *intent, NestNet *net)
{
    const char *xml = intent->after_xml;
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    gboolean changed = g_strcmp0(intent->before_xml, xml) != 0;
    gboolean enabled = strcmp(intent->operation->kind, "enable") == 0;
    g_free(mark->left_as);
    g_free(mark->open);
    mark->guarded = asks_for_nesting(domain);
    mark->left_as = mark->guarded ? nest_domain_fingerprint(xml) : NULL;
    mark->open = mark->guarded ? open_in(domain, net) : NULL;
    mark->fresh = mark->guarded && (changed ? enabled : mark->fresh);
}

NestStoredMark *nest_vm_marks_after(
    const NestStoredMark *mark, const NestIntent *intent, NestNet *net)
{
    const char *kind = intent->operation->kind;
    if (strcmp(kind, "delete") == 0)
        return nest_store_mark_new(mark->uuid);
    if (strcmp(kind, "save") == 0)
        return with_saved(mark, intent->detail);
    gboolean started = strcmp(kind, "start") == 0 && (mark->fresh || mark->saved != NULL);
    if (!started && intent->after_xml == NULL)
        return NULL;
    NestStoredMark *after = with_saved(mark, NULL);
    if (started)
        after->fresh = FALSE;
    else if (!is_beside(mark, intent))
        note_definition(after, intent, net);
    return after;
}
