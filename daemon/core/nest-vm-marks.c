/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-marks.h"
#include "nest-domain-xml.h"
#include <string.h>

void nest_vm_marks_free(NestVmMarks *marks)
{
    if (marks == NULL)
        return;
    g_free(marks->left_as);
    g_free(marks->saved);
    g_free(marks->started_as);
    g_free(marks);
}

static gboolean asks_for_nesting(const char *xml)
{
    g_autoptr(NestDomain) domain = nest_domain_read(xml, NULL);
    return domain != NULL &&
        (domain->vmx == NEST_POLICY_REQUIRE || domain->svm == NEST_POLICY_REQUIRE);
}

static NestStoredMark *with_saved(const NestStoredMark *mark, const char *saved)
{
    NestStoredMark *after = nest_store_mark_copy(mark);
    g_free(after->saved);
    after->saved = g_strdup(saved);
    return after;
}

NestStoredMark *nest_vm_marks_after(
    const NestStoredMark *mark, const char *kind, const char *xml, const char *detail)
{
    if (strcmp(kind, "delete") == 0)
        return nest_store_mark_new(mark->uuid);
    if (strcmp(kind, "save") == 0)
        return with_saved(mark, detail);
    gboolean started = strcmp(kind, "start") == 0 && (mark->fresh || mark->saved != NULL);
    if (!started && xml == NULL)
        return NULL;
    NestStoredMark *after = with_saved(mark, NULL);
    after->fresh = FALSE;
    if (started)
        return after;
    g_free(after->left_as);
    after->guarded = asks_for_nesting(xml);
    after->left_as = after->guarded ? nest_domain_fingerprint(xml) : NULL;
    after->fresh = after->guarded && strcmp(kind, "enable") == 0;
    return after;
}
