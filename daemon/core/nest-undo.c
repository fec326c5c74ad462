/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-undo.h"
#include "nest-error.h"
#include "nest-plan-refusal.h"
#include "nest-record.h"
#include "nest-size.h"
#include "nest-vm-trust.h"
#include <string.h>

/* So many revisions, with their definitions, are read at a time. */
#define PAGE 50

static void add_extension(GString *text, const char *name, NestFeaturePolicy policy)
{
    switch (policy) {
    case NEST_POLICY_FORCE:
    case NEST_POLICY_REQUIRE:
        g_string_append_printf(text, " + %s", name);
        return;
    case NEST_POLICY_OPTIONAL:
        g_string_append_printf(text, " + %s if there", name);
        return;
    case NEST_POLICY_DISABLE:
    case NEST_POLICY_FORBID:
        g_string_append_printf(text, ", %s hidden", name);
        return;
    case NEST_POLICY_UNSET:
        return;
    }
}

static char *cpu_text(const NestDomain *domain)
{
    gboolean named = g_strcmp0(domain->cpu_mode, "custom") == 0 && domain->cpu_model != NULL;
    GString *text = g_string_new(named ? domain->cpu_model : domain->cpu_mode);
    if (text->len == 0)
        g_string_append(text, "default");
    add_extension(text, "vmx", domain->vmx);
    add_extension(text, "svm", domain->svm);
    if (domain->check_full)
        g_string_append(text, ", enforced");
    return g_string_free(text, FALSE);
}

static char *memory_text(const NestDomain *domain)
{
    return nest_size_range(domain->current_memory_kib, domain->memory_kib);
}

static char *balloon_text(const NestDomain *domain)
{
    return g_strdup(domain->balloon ? "present" : "none");
}

static char *filters_text(const NestDomain *domain)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; domain->interfaces != NULL && i < domain->interfaces->len; i++) {
        const NestInterface *interface = g_ptr_array_index(domain->interfaces, i);
        if (interface->filter != NULL)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", interface->filter);
    }
    if (text->len == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

static char *ports_text(const NestDomain *domain)
{
    guint isolated = 0;
    for (guint i = 0; i < domain->extras.nics->len; i++)
        isolated += ((const NestNic *)g_ptr_array_index(domain->extras.nics, i))->isolated ? 1 : 0;
    return isolated > 0 ? g_strdup_printf("%u isolated", isolated) : g_strdup("none isolated");
}

static const struct {
    const char *id, *title;
    char *(*text)(const NestDomain *domain);
} aspects[] = {
    {"extensions", "cpu", cpu_text},
    {"memory", "memory", memory_text},
    {"balloon", "memory balloon", balloon_text},
    {"mac-spoofing", "network filters", filters_text},
    {"port-isolation", "bridge ports", ports_text},
};

static void add(GPtrArray *items, const char *id, const char *title, char *current, char *target)
{
    NestPlanItem *item = nest_record_new(&nest_plan_item_record);
    item->id = g_strdup(id);
    item->title = g_strdup(title);
    item->current = current;
    item->target = target;
    g_ptr_array_add(items, item);
}

GPtrArray *nest_undo_changes(const char *from, const char *to)
{
    GPtrArray *items = g_ptr_array_new();
    if (nest_domain_same(from, to))
        return items;
    g_autoptr(NestDomain) left = nest_domain_read(from, NULL);
    g_autoptr(NestDomain) right = nest_domain_read(to, NULL);
    for (guint i = 0; left != NULL && right != NULL && i < G_N_ELEMENTS(aspects); i++) {
        g_autofree char *current = aspects[i].text(left);
        g_autofree char *target = aspects[i].text(right);
        if (strcmp(current, target) != 0)
            add(items, aspects[i].id, aspects[i].title, g_steal_pointer(&current),
                g_steal_pointer(&target));
    }
    if (items->len == 0)
        add(items, "definition", "other parts of the definition", NULL, NULL);
    return items;
}

static char *words(const GPtrArray *items)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(items, i);
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", item->title);
        if (item->current != NULL)
            g_string_append_printf(text, ": %s → %s", item->current, item->target);
    }
    return g_string_free(text, FALSE);
}

static void free_item(gpointer item)
{
    nest_plan_item_free(item);
}

char *nest_undo_summary(const NestStoredRevision *revision)
{
    if (revision->before_xml == NULL)
        return g_strdup("created");
    g_autoptr(GPtrArray) items = nest_undo_changes(revision->before_xml, revision->after_xml);
    g_ptr_array_set_free_func(items, free_item);
    return items->len > 0 ? words(items) : g_strdup("nothing in the definition");
}

static gboolean refuse_missing(
    const char *name, const NestStoredRevision *revision, gint64 wanted, GError **error)
{
    g_autofree char *delete = g_strdup_printf("nestctl delete %s", name);
    g_autofree char *history = g_strdup_printf("nestctl history %s", name);
    if (revision == NULL && wanted == 0)
        nest_set_error(error, NEST_ERROR_VM_STATE, NULL,
            "there is nothing to undo: nestd has not changed the definition of %s", name);
    else if (revision == NULL)
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, history,
            "%s has no revision %" G_GINT64_FORMAT, name, wanted);
    else if (revision->before_xml == NULL)
        nest_set_error(error, NEST_ERROR_VM_STATE, delete,
            "revision %" G_GINT64_FORMAT " created %s: there is nothing before it", revision->id,
            name);
    else
        return FALSE;
    return TRUE;
}

static const NestStoredRevision *oldest(const GPtrArray *revisions)
{
    return revisions->len > 0 ? g_ptr_array_index(revisions, revisions->len - 1) : NULL;
}

/* From xml back to the oldest of revisions, without a gap that somebody else has filled. */
static gboolean leads_back(const char *xml, const GPtrArray *revisions)
{
    if (nest_domain_same(xml, oldest(revisions)->after_xml))
        return TRUE;
    for (guint i = 0; i < revisions->len; i++) {
        const NestStoredRevision *revision = g_ptr_array_index(revisions, i);
        if (xml == NULL || !nest_domain_same(xml, revision->after_xml))
            return FALSE;
        xml = revision->before_xml;
    }
    return TRUE;
}

static gboolean refuse_changed(const NestVmFacts *facts, const GPtrArray *revisions, GError **error)
{
    if (leads_back(facts->xml, revisions))
        return FALSE;
    g_autofree char *next = g_strdup_printf(
        "take that change back, or set nesting anew: nestctl enable %s, nestctl disable %s",
        facts->name, facts->name);
    nest_set_error(error, NEST_ERROR_VM_CHANGED, next,
        "the definition of %s was changed since revision %" G_GINT64_FORMAT
        " by somebody else, and going back would lose that",
        facts->name, oldest(revisions)->id);
    return TRUE;
}

gboolean nest_undo_revisions(
    NestStore *store, const char *uuid, gint64 wanted, GPtrArray **ret_revisions, GError **error)
{
    g_autoptr(GPtrArray) found = NULL;
    gint64 before = 0;
    if (wanted == 0)
        return nest_store_revisions(store, uuid, 0, 1, ret_revisions, error);
    if (!nest_store_revisions(store, uuid, 0, PAGE, &found, error))
        return FALSE;
    while (found->len > 0 && oldest(found)->id > wanted && oldest(found)->id != before) {
        g_autoptr(GPtrArray) more = NULL;
        before = oldest(found)->id;
        if (!nest_store_revisions(store, uuid, before, PAGE, &more, error))
            return FALSE;
        g_ptr_array_extend_and_steal(found, g_steal_pointer(&more));
    }
    while (found->len > 0 && oldest(found)->id < wanted)
        g_ptr_array_set_size(found, (int)found->len - 1);
    *ret_revisions = g_steal_pointer(&found);
    return TRUE;
}

NestPlan *nest_undo_plan(const NestVmView *view, const GPtrArray *revisions, gint64 wanted)
{
    const NestVmFacts *facts = view->facts;
    const NestStoredRevision *revision = oldest(revisions);
    if (revision != NULL && wanted != 0 && revision->id != wanted)
        revision = NULL;
    g_autoptr(GError) error = NULL;
    if (refuse_missing(facts->name, revision, wanted, &error))
        return nest_plan_nothing(view, nest_problem_from_error(error));
    if (nest_domain_same(facts->xml, revision->before_xml))
        return nest_plan_nothing(view, NULL);
    if (refuse_changed(facts, revisions, &error))
        return nest_plan_nothing(view, nest_problem_from_error(error));
    g_autoptr(NestDomain) target = nest_domain_read(revision->before_xml, &error);
    if (target == NULL)
        return nest_plan_nothing(view, nest_problem_from_error(error));
    NestNesting then = nest_vm_view_nesting_by(view, revision->before_xml);
    gboolean nests = then == NEST_NESTING_ON;
    if (nest_plan_refuses_switch(view, then, &error) ||
        (nests && nest_vm_trust_refuses(view, &error)))
        return nest_plan_nothing(view, nest_problem_from_error(error));
    g_autoptr(GPtrArray) changes = nest_undo_changes(facts->xml, revision->before_xml);
    return nest_plan_replace(view, revision->before_xml, g_steal_pointer(&changes), nests);
}
