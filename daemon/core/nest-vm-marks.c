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

static gboolean definition_asks(const char *xml)
{
    g_autoptr(NestDomain) domain = xml != NULL ? nest_domain_read(xml, NULL) : NULL;
    return asks_for_nesting(domain);
}

static gboolean was_asked(const GPtrArray *history, guint first, gboolean otherwise);

/* Whether nestd was asked for the nesting that an undo left; its way back is in history from first
 * on. Where the definition before it had none, the undo itself asks for it. otherwise: what counts
 * where history does not tell. */
static gboolean undo_asks(const GPtrArray *history, guint first, const char *before_xml,
    const char *after_xml, gboolean otherwise)
{
    if (!definition_asks(after_xml))
        return FALSE;
    if (!definition_asks(before_xml))
        return TRUE;
    for (guint i = first; i < history->len; i++) {
        const NestStoredRevision *revision = g_ptr_array_index(history, i);
        if (revision->before_xml != NULL && nest_domain_same(revision->before_xml, after_xml))
            return was_asked(history, i + 1, otherwise);
    }
    return was_asked(history, first, otherwise);
}

/* The same of what the revisions from first on left. */
static gboolean was_asked(const GPtrArray *history, guint first, gboolean otherwise)
{
    for (guint i = first; i < history->len; i++) {
        const NestStoredRevision *revision = g_ptr_array_index(history, i);
        if (g_strcmp0(revision->kind, "undo") == 0)
            return undo_asks(history, i + 1, revision->before_xml, revision->after_xml, otherwise);
        if (g_strcmp0(revision->kind, "enable") == 0 || g_strcmp0(revision->kind, "create") == 0)
            return TRUE;
        if (g_strcmp0(revision->kind, "disable") == 0)
            return FALSE;
    }
    return otherwise;
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

/* Whether nestd was asked for the nesting that the operation left. */
static gboolean is_asked(
    const NestStoredMark *mark, const NestIntent *intent, const GPtrArray *history)
{
    const char *kind = intent->operation->kind;
    if (!definition_asks(intent->after_xml))
        return FALSE;
    if (strcmp(kind, "undo") != 0)
        return mark->guarded || strcmp(kind, "enable") == 0 || strcmp(kind, "create") == 0;
    if (history == NULL)
        return mark->guarded || !definition_asks(intent->before_xml);
    gboolean more = history->len >= NEST_VM_MARKS_LOOK_BACK;
    return undo_asks(history, 0, intent->before_xml, intent->after_xml, more && mark->guarded);
}

/* An operation that left the definition as it was changed nothing that a start would show. What is
 * put back from a checkpoint may run at once. */
static void note_definition(
    NestStoredMark *mark, const NestIntent *intent, NestNet *net, const GPtrArray *history)
{
    const char *xml = intent->after_xml;
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    gboolean changed = g_strcmp0(intent->before_xml, xml) != 0;
    gboolean enabled = strcmp(intent->operation->kind, "enable") == 0;
    gboolean stays = mark->fresh && strcmp(intent->operation->kind, "apply-checkpoint") != 0;
    g_free(mark->left_as);
    g_free(mark->open);
    mark->guarded = is_asked(mark, intent, history);
    mark->left_as = mark->guarded ? nest_domain_fingerprint(xml) : NULL;
    mark->open = mark->guarded ? open_in(domain, net) : NULL;
    mark->fresh = mark->guarded && (stays || (enabled && changed));
}

NestStoredMark *nest_vm_marks_after(
    const NestStoredMark *mark, const NestIntent *intent, NestNet *net, const GPtrArray *history)
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
        note_definition(after, intent, net, history);
    return after;
}
