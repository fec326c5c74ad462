/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"

/* Plans for hypervisors in guests: from the main thread to a visitor and back. */

typedef struct {
    NestCore *core;
    GTask *task; /* its data: the host */
    char *uuid;
    NestInstallWish *wish;
} Planning;

static void planning_free(gpointer data)
{
    Planning *planning = data;
    g_object_unref(planning->task);
    g_free(planning->uuid);
    nest_install_wish_free(planning->wish);
    g_free(planning);
}

static NestPlan *make(const Planning *planning, GError **error)
{
    NestCore *core = planning->core;
    g_autoptr(NestVmReading) reading = nest_vm_reading_take(
        core->backend, g_task_get_task_data(planning->task), core->marks, planning->uuid, error);
    return reading != NULL ? nest_job_install_plan(core->backend, core->recipes->entries,
                                 &reading->view, planning->wish, error)
                           : NULL;
}

static void work(gpointer data)
{
    Planning *planning = data;
    GError *error = NULL;
    NestPlan *plan = make(planning, &error);
    if (plan == NULL)
        g_task_return_error(planning->task, error);
    else
        g_task_return_pointer(planning->task, plan, (GDestroyNotify)nest_plan_free);
    planning_free(planning);
}

static void go(gpointer data)
{
    Planning *planning = data;
    NestCore *core = planning->core;
    g_task_set_task_data(planning->task, nest_host_snapshot_ref(core->host),
        (GDestroyNotify)nest_host_snapshot_unref);
    nest_core_push(core, core->visitors, work, planning);
}

void nest_core_plan_install_async(NestCore *core, const char *vm, const NestInstallWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Planning *planning = g_new0(Planning, 1);
    *planning = (Planning){
        core, g_object_ref(task), uuid, nest_record_copy(&nest_install_wish_record, wish)};
    nest_core_when_open(core, go, planning, planning_free, task);
}
