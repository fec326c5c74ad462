/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-undo.h"

/* Plans and what they go by: from the main thread to a reader and back. */

typedef struct Planning Planning;

struct Planning {
    NestCore *core;
    GTask *task;
    NestPlan *(*make)(const Planning *planning, const NestVmReading *reading, GError **error);
    char *uuid;
    gboolean enable;
    GStrv decline;
    gint64 to;
};

static void planning_free(gpointer data)
{
    Planning *planning = data;
    g_object_unref(planning->task);
    g_free(planning->uuid);
    g_strfreev(planning->decline);
    g_free(planning);
}

static NestPlan *make_nested(const Planning *planning, const NestVmReading *reading, GError **error)
{
    return nest_plan_make(&reading->view, planning->enable, (const char *const *)planning->decline);
}

static NestPlan *make_undo(const Planning *planning, const NestVmReading *reading, GError **error)
{
    g_autoptr(NestStoredRevision) revision = NULL;
    if (!nest_store_revision(planning->core->store, planning->uuid, planning->to, &revision, error))
        return NULL;
    return nest_undo_plan(&reading->view, revision, planning->to);
}

static void plan_work(gpointer data)
{
    Planning *planning = data;
    NestCore *core = planning->core;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHostSnapshot) host = nest_host_snapshot_take(
        core->place, ((NestHostSnapshot *)g_task_get_task_data(planning->task))->caps);
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_take(core->backend, host, core->marks, planning->uuid, &error);
    NestPlan *plan = reading != NULL ? planning->make(planning, reading, &error) : NULL;
    if (plan == NULL)
        g_task_return_error(planning->task, g_steal_pointer(&error));
    else
        g_task_return_pointer(planning->task, plan, (GDestroyNotify)nest_plan_free);
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

/* wished: as the caller wants it; the rest is filled in. */
static void plan(NestCore *core, const char *vm, const Planning *wished,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Planning *planning = g_memdup2(wished, sizeof *wished);
    planning->core = core;
    planning->task = g_object_ref(task);
    planning->uuid = uuid;
    planning->decline = g_strdupv(wished->decline);
    nest_core_when_open(core, plan_go, planning, planning_free, task);
}

void nest_core_plan_async(NestCore *core, const char *vm, const NestNestedWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.make = make_nested, .enable = wish->enabled, .decline = wish->decline};
    plan(core, vm, &wished, callback, user_data);
}

void nest_core_plan_undo_async(NestCore *core, const char *vm, const NestUndoWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.make = make_undo, .to = wish->to};
    plan(core, vm, &wished, callback, user_data);
}

NestPlan *nest_core_plan_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
