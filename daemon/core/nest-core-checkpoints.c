/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checkpoint.h"
#include "nest-core-private.h"

/* The checkpoints of a VM, as the hypervisor has them now. */

static gpointer read_checkpoints(const NestQuestion *question, GError **error)
{
    NestCore *core = question->core;
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_take(core->backend, question->host, core->marks, question->uuid, error);
    if (reading == NULL ||
        !core->backend->ops->checkpoints(core->backend, question->uuid, &found, error))
        return NULL;
    return nest_checkpoints_from(found, &reading->view);
}

static const NestQuestionKind kind = {
    FALSE, read_checkpoints, (GDestroyNotify)g_ptr_array_unref, NULL};

void nest_core_checkpoints_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    nest_core_ask(core, vm, &kind, NULL, callback, user_data);
}

GPtrArray *nest_core_checkpoints_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
