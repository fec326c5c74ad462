/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"

/* Plans for the host: from the main thread to a reader and back. */

typedef struct {
    NestCore *core;
    GTask *task;
    gboolean undo;
    GStrv decline;
    gint64 to;
} Planning;

static void planning_free(gpointer data)
{
    Planning *planning = data;
    g_object_unref(planning->task);
    g_strfreev(planning->decline);
    g_free(planning);
}

static NestPlan *plan_fix(const Planning *planning, NestHostSnapshot *host)
{
    NestCore *core = planning->core;
    g_autoptr(NestHostBlocks) blocks = nest_host_blocks_take(core->backend, host, core->marks);
    return nest_job_host_plan_fix(
        host, core->config->host_root, blocks, (const char *const *)planning->decline);
}

static void plan_work(gpointer data)
{
    Planning *planning = data;
    NestCore *core = planning->core;
    const char *root = core->config->host_root;
    GError *error = NULL;
    const NestHostSnapshot *known = g_task_get_task_data(planning->task);
    g_autoptr(NestHostSnapshot) host =
        nest_host_snapshot_take_with(core->place, known->caps, known->net->definitions);
    NestPlan *plan = planning->undo
        ? nest_job_host_plan_undo(host, root, core->store, planning->to, &error)
        : plan_fix(planning, host);
    if (plan == NULL)
        g_task_return_error(planning->task, error);
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

/* Like a change it waits until the hypervisor is open: what was interrupted is recovered then. */
static void plan(
    NestCore *core, const Planning *wished, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    if (!nest_core_check_open(core, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Planning *planning = g_memdup2(wished, sizeof *wished);
    planning->core = core;
    planning->task = g_object_ref(task);
    planning->decline = g_strdupv(wished->decline);
    nest_core_when_open(core, plan_go, planning, planning_free, task);
}

void nest_core_repair_plan_async(
    NestCore *core, const NestHostWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.decline = wish->decline};
    plan(core, &wished, callback, user_data);
}

void nest_core_repair_plan_undo_async(
    NestCore *core, const NestUndoWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    Planning wished = {.undo = TRUE, .to = wish->to};
    plan(core, &wished, callback, user_data);
}
