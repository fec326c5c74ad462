/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-other-host.h"
#include "nest-undo.h"

/* Plans for VMs and for definitions, and what they go by. */

typedef struct {
    char *xml; /* instead of a VM */
    NestExtension extension; /* of the host that xml is for; NONE: this host */
    gboolean enable;
    GStrv decline;
    gint64 to;
} Wish;

static void wish_free(gpointer data)
{
    Wish *wish = data;
    g_free(wish->xml);
    g_strfreev(wish->decline);
    g_free(wish);
}

static NestHostSnapshot *take_host(const NestQuestion *question)
{
    NestCore *core = question->core;
    g_autoptr(NestNetDefinitions) definitions = nest_net_definitions_take(core->backend);
    return nest_host_snapshot_take_with(core->place, question->host->caps, definitions);
}

static NestVmReading *take_vm(const NestQuestion *question, GError **error)
{
    NestCore *core = question->core;
    g_autoptr(NestHostSnapshot) host = take_host(question);
    return nest_vm_reading_take(core->backend, host, core->marks, question->uuid, error);
}

/* The VM that the definition would be: off, and never seen before. */
static NestVmReading *take_xml(const NestQuestion *question, GError **error)
{
    const Wish *wish = question->wish;
    NestBackend *backend = question->core->backend;
    g_autofree char *doubt = NULL;
    if (!backend->ops->check(backend, wish->xml, &doubt, error))
        return NULL;
    if (doubt != NULL)
        g_warning("libvirt's parser was not asked about a definition: %s", doubt);
    g_autoptr(NestHostSnapshot) host = take_host(question);
    NestVmFacts *facts = g_new0(NestVmFacts, 1);
    facts->state = NEST_VM_OFF;
    facts->xml = g_strdup(wish->xml);
    NestVmReading *reading = nest_vm_reading_new(facts, host, NULL, error);
    if (reading == NULL)
        return NULL;
    facts->uuid = g_strdup(reading->domain->uuid);
    facts->name = g_strdup(reading->domain->name);
    if (wish->extension != NEST_EXTENSION_NONE)
        nest_other_host_move(&reading->view, wish->extension);
    return reading;
}

static NestPlan *make_nested(const Wish *wish, const NestVmReading *reading)
{
    return nest_plan_make(&reading->view, wish->enable, (const char *const *)wish->decline);
}

static gpointer plan_nested(const NestQuestion *question, GError **error)
{
    g_autoptr(NestVmReading) reading = take_vm(question, error);
    return reading != NULL ? make_nested(question->wish, reading) : NULL;
}

static gpointer plan_undo(const NestQuestion *question, GError **error)
{
    const Wish *wish = question->wish;
    g_autoptr(GPtrArray) revisions = NULL;
    g_autoptr(NestVmReading) reading = take_vm(question, error);
    if (reading == NULL ||
        !nest_undo_revisions(question->core->store, question->uuid, wish->to, &revisions, error))
        return NULL;
    return nest_undo_plan(&reading->view, revisions, wish->to);
}

static gpointer plan_xml(const NestQuestion *question, GError **error)
{
    const Wish *wish = question->wish;
    g_autoptr(NestVmReading) reading = take_xml(question, error);
    if (reading == NULL)
        return NULL;
    g_autoptr(NestXmlPlan) made = nest_record_new(&nest_xml_plan_record);
    g_autoptr(NestPlan) plan = make_nested(wish, reading);
    NestPlan empty = made->plan;
    made->plan = *plan;
    *plan = empty;
    if (made->plan.verdict == NEST_PLAN_REFUSED)
        return g_steal_pointer(&made);
    NestDomainWish changes = nest_plan_wish_for(&made->plan, &reading->view);
    made->xml = nest_domain_edit(wish->xml, &changes, error);
    return made->xml != NULL ? g_steal_pointer(&made) : NULL;
}

static const NestQuestionKind nested_kind = {
    FALSE, plan_nested, (GDestroyNotify)nest_plan_free, wish_free};
static const NestQuestionKind undo_kind = {
    FALSE, plan_undo, (GDestroyNotify)nest_plan_free, wish_free};
static const NestQuestionKind xml_kind = {
    FALSE, plan_xml, (GDestroyNotify)nest_xml_plan_free, wish_free};

/* Copies what it points to. */
static gpointer copy(const Wish *wish)
{
    Wish *copied = g_memdup2(wish, sizeof *wish);
    copied->xml = g_strdup(wish->xml);
    copied->decline = g_strdupv(wish->decline);
    return copied;
}

void nest_core_plan_async(NestCore *core, const char *vm, const NestNestedWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    Wish wished = {.enable = wish->enabled, .decline = wish->decline};
    nest_core_ask(core, vm, &nested_kind, copy(&wished), callback, user_data);
}

void nest_core_plan_undo_async(NestCore *core, const char *vm, const NestUndoWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    Wish wished = {.to = wish->to};
    nest_core_ask(core, vm, &undo_kind, copy(&wished), callback, user_data);
}

NestPlan *nest_core_plan_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_plan_xml_async(
    NestCore *core, const NestXmlWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    Wish wished = {.xml = wish->xml,
        .extension = wish->extension,
        .enable = wish->enabled,
        .decline = wish->decline};
    nest_core_ask(core, NULL, &xml_kind, copy(&wished), callback, user_data);
}

NestXmlPlan *nest_core_plan_xml_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
