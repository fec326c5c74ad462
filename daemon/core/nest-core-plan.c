/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-other-host.h"
#include "nest-undo.h"

/* Plans and what they go by: from the main thread to a reader and back. */

typedef struct Planning Planning;

struct Planning {
    NestCore *core;
    GTask *task;
    NestVmReading *(*take)(const Planning *planning, NestHostSnapshot *host, GError **error);
    gpointer (*make)(const Planning *planning, const NestVmReading *reading, GError **error);
    GDestroyNotify free_made;
    char *uuid;
    char *xml; /* instead of uuid */
    NestExtension extension; /* of the host that xml is for; NONE: this host */
    gboolean enable;
    GStrv decline;
    gint64 to;
};

static void planning_free(gpointer data)
{
    Planning *planning = data;
    g_object_unref(planning->task);
    g_free(planning->uuid);
    g_free(planning->xml);
    g_strfreev(planning->decline);
    g_free(planning);
}

static NestVmReading *take_vm(const Planning *planning, NestHostSnapshot *host, GError **error)
{
    NestCore *core = planning->core;
    return nest_vm_reading_take(core->backend, host, core->marks, planning->uuid, error);
}

/* The VM that the definition would be: off, and never seen before. */
static NestVmReading *take_xml(const Planning *planning, NestHostSnapshot *host, GError **error)
{
    NestBackend *backend = planning->core->backend;
    if (!backend->ops->check(backend, planning->xml, error))
        return NULL;
    NestVmFacts *facts = g_new0(NestVmFacts, 1);
    facts->state = NEST_VM_OFF;
    facts->xml = g_strdup(planning->xml);
    NestVmReading *reading = nest_vm_reading_new(facts, host, NULL, error);
    if (reading == NULL)
        return NULL;
    facts->uuid = g_strdup(reading->domain->uuid);
    facts->name = g_strdup(reading->domain->name);
    if (planning->extension != NEST_EXTENSION_NONE)
        nest_other_host_move(&reading->view, planning->extension);
    return reading;
}

static gpointer make_nested(const Planning *planning, const NestVmReading *reading, GError **error)
{
    return nest_plan_make(&reading->view, planning->enable, (const char *const *)planning->decline);
}

static gpointer make_undo(const Planning *planning, const NestVmReading *reading, GError **error)
{
    g_autoptr(NestStoredRevision) revision = NULL;
    if (!nest_store_revision(planning->core->store, planning->uuid, planning->to, &revision, error))
        return NULL;
    return nest_undo_plan(&reading->view, revision, planning->to);
}

static gpointer make_xml(const Planning *planning, const NestVmReading *reading, GError **error)
{
    g_autoptr(NestXmlPlan) made = nest_record_new(&nest_xml_plan_record);
    g_autoptr(NestPlan) plan = make_nested(planning, reading, error);
    NestPlan empty = made->plan;
    made->plan = *plan;
    *plan = empty;
    if (made->plan.verdict == NEST_PLAN_REFUSED)
        return g_steal_pointer(&made);
    NestDomainWish wish = nest_plan_wish_for(&made->plan, &reading->view);
    made->xml = nest_domain_edit(planning->xml, &wish, error);
    return made->xml != NULL ? g_steal_pointer(&made) : NULL;
}

static void plan_work(gpointer data)
{
    Planning *planning = data;
    NestCore *core = planning->core;
    g_autoptr(GError) error = NULL;
    const NestHostSnapshot *known = g_task_get_task_data(planning->task);
    g_autoptr(NestNetDefinitions) definitions = nest_net_definitions_take(core->backend);
    g_autoptr(NestHostSnapshot) host =
        nest_host_snapshot_take_with(core->place, known->caps, definitions);
    g_autoptr(NestVmReading) reading = planning->take(planning, host, &error);
    gpointer made = reading != NULL ? planning->make(planning, reading, &error) : NULL;
    if (made == NULL)
        g_task_return_error(planning->task, g_steal_pointer(&error));
    else
        g_task_return_pointer(planning->task, made, planning->free_made);
    planning_free(planning);
}

static void plan_go(gpointer data)
{
    Planning *planning = data;
    NestCore *core = planning->core;
    g_task_set_task_data(planning->task, nest_host_snapshot_ref(core->host),
        (GDestroyNotify)nest_host_snapshot_unref);
    nest_core_push(core, core->readers, plan_work, planning);
}

/* wished: as the caller wants it; the rest is filled in, and what it points to copied. vm NULL:
 * there is none. */
static void plan(NestCore *core, const char *vm, const Planning *wished,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) ||
        (vm != NULL && !nest_core_resolve(core, vm, &uuid, &error))) {
        g_task_return_error(task, error);
        return;
    }
    Planning *planning = g_memdup2(wished, sizeof *wished);
    planning->core = core;
    planning->task = g_object_ref(task);
    planning->uuid = uuid;
    planning->xml = g_strdup(wished->xml);
    planning->decline = g_strdupv(wished->decline);
    nest_core_when_open(core, plan_go, planning, planning_free, task);
}

static void free_plan(gpointer plan)
{
    nest_plan_free(plan);
}

void nest_core_plan_async(NestCore *core, const char *vm, const NestNestedWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.take = take_vm,
        .make = make_nested,
        .free_made = free_plan,
        .enable = wish->enabled,
        .decline = wish->decline};
    plan(core, vm, &wished, callback, user_data);
}

void nest_core_plan_undo_async(NestCore *core, const char *vm, const NestUndoWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.take = take_vm, .make = make_undo, .free_made = free_plan, .to = wish->to};
    plan(core, vm, &wished, callback, user_data);
}

NestPlan *nest_core_plan_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

static void free_xml_plan(gpointer plan)
{
    nest_xml_plan_free(plan);
}

void nest_core_plan_xml_async(
    NestCore *core, const NestXmlWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.take = take_xml,
        .make = make_xml,
        .free_made = free_xml_plan,
        .xml = wish->xml,
        .extension = wish->extension,
        .enable = wish->enabled,
        .decline = wish->decline};
    plan(core, NULL, &wished, callback, user_data);
}

NestXmlPlan *nest_core_plan_xml_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
