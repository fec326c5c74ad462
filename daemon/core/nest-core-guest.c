/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-guest-read.h"

/* What the agent inside a VM says. */

typedef struct {
    NestCore *core;
    GTask *task;
    char *uuid;
} Visit;

static void visit_free(gpointer data)
{
    Visit *visit = data;
    g_object_unref(visit->task);
    g_free(visit->uuid);
    g_free(visit);
}

static void work(gpointer data)
{
    Visit *visit = data;
    GError *error = NULL;
    NestGuest *guest = nest_guest_read(visit->core->backend, visit->uuid, &error);
    if (guest == NULL)
        g_task_return_error(visit->task, error);
    else
        g_task_return_pointer(visit->task, guest, (GDestroyNotify)nest_guest_free);
    visit_free(visit);
}

static void go(gpointer data)
{
    Visit *visit = data;
    nest_core_push(visit->core, visit->core->visitors, work, visit);
}

void nest_core_guest_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Visit *visit = g_new0(Visit, 1);
    *visit = (Visit){core, g_object_ref(task), uuid};
    nest_core_when_open(core, go, visit, visit_free, task);
}

NestGuest *nest_core_guest_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
