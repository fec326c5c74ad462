/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checkpoint.h"
#include "nest-core-private.h"

/* The checkpoints of a VM, as the hypervisor has them now. */

typedef struct {
    NestCore *core;
    GTask *task; /* its data: the host */
    char *uuid;
} Listing;

static void listing_free(gpointer data)
{
    Listing *listing = data;
    g_object_unref(listing->task);
    g_free(listing->uuid);
    g_free(listing);
}

static GPtrArray *read_checkpoints(const Listing *listing, GError **error)
{
    NestCore *core = listing->core;
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(NestVmReading) reading = nest_vm_reading_take(
        core->backend, g_task_get_task_data(listing->task), core->marks, listing->uuid, error);
    if (reading == NULL ||
        !core->backend->ops->checkpoints(core->backend, listing->uuid, &found, error))
        return NULL;
    return nest_checkpoints_from(found, &reading->view);
}

static void work(gpointer data)
{
    Listing *listing = data;
    GError *error = NULL;
    GPtrArray *checkpoints = read_checkpoints(listing, &error);
    if (checkpoints == NULL)
        g_task_return_error(listing->task, error);
    else
        g_task_return_pointer(listing->task, checkpoints, (GDestroyNotify)g_ptr_array_unref);
    listing_free(listing);
}

static void go(gpointer data)
{
    Listing *listing = data;
    g_task_set_task_data(listing->task, nest_host_snapshot_ref(listing->core->host),
        (GDestroyNotify)nest_host_snapshot_unref);
    nest_core_push(listing->core, listing->core->readers, work, listing);
}

void nest_core_checkpoints_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Listing *listing = g_new0(Listing, 1);
    *listing = (Listing){core, g_object_ref(task), uuid};
    nest_core_when_open(core, go, listing, listing_free, task);
}

GPtrArray *nest_core_checkpoints_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
