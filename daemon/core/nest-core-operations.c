/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"

/* Operations as the API sees them: those under way from memory, the others from the store. */

/* What is interrupted waits for recovery: nobody tells when that is over. */
#define RECOVERY_POLL_MS 250

NestOperation *nest_core_operation(NestCore *core, gint64 id, GError **error)
{
    const NestOperation *live = nest_operations_find(core->operations, id);
    if (live != NULL)
        return nest_operation_copy(live);
    const NestJob *job = g_hash_table_lookup(core->unrecorded, &id);
    if (job != NULL)
        return nest_operation_copy(job->intent->operation);
    NestOperation *stored = NULL;
    return nest_store_operation(core->store, id, &stored, error) ? stored : NULL;
}

typedef struct {
    NestCore *core;
    gint64 id;
    gint64 deadline; /* monotonic, µs */
} Poll;

/* TRUE if task was completed. */
static gboolean answer_from_store(GTask *task, const Poll *poll)
{
    GError *error = NULL;
    NestOperation *operation = nest_core_operation(poll->core, poll->id, &error);
    gboolean late = g_get_monotonic_time() >= poll->deadline || poll->core->stopping;
    if (operation == NULL) {
        g_task_return_error(task, error);
        return TRUE;
    }
    if (!nest_operation_ended(operation) && !late) {
        nest_operation_free(operation);
        return FALSE;
    }
    g_task_return_pointer(task, operation, (GDestroyNotify)nest_operation_free);
    return TRUE;
}

static gboolean on_poll(gpointer data)
{
    return answer_from_store(data, g_task_get_task_data(data)) ? G_SOURCE_REMOVE
                                                               : G_SOURCE_CONTINUE;
}

void nest_core_operation_wait_async(
    NestCore *core, gint64 id, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    const NestOperation *live = nest_operations_find(core->operations, id);
    if (live != NULL && !nest_operation_ended(live)) {
        nest_operations_wait(core->operations, id, timeout_ms, g_object_ref(task));
        return;
    }
    Poll *poll = g_new(Poll, 1);
    *poll = (Poll){core, id, g_get_monotonic_time() + timeout_ms * G_GINT64_CONSTANT(1000)};
    g_task_set_task_data(task, poll, g_free);
    if (!answer_from_store(task, poll))
        g_timeout_add_full(G_PRIORITY_DEFAULT, MIN(timeout_ms, RECOVERY_POLL_MS), on_poll,
            g_object_ref(task), g_object_unref);
}

NestOperation *nest_core_operation_wait_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

GPtrArray *nest_core_operations(NestCore *core, gint64 before, guint limit, GError **error)
{
    GPtrArray *list = NULL;
    if (!nest_store_operations(core->store, before, limit, &list, error))
        return NULL;
    for (guint i = 0; i < list->len; i++) {
        NestOperation *stored = g_ptr_array_index(list, i);
        if (nest_operation_ended(stored))
            continue;
        NestOperation *current = nest_core_operation(core, stored->id, NULL);
        if (current == NULL)
            continue;
        nest_operation_free(stored);
        list->pdata[i] = current;
    }
    return list;
}

gboolean nest_core_abort(NestCore *core, gint64 id, GError **error)
{
    if (nest_operations_abort(core->operations, id))
        return TRUE;
    g_autoptr(NestOperation) operation = nest_core_operation(core, id, error);
    if (operation == NULL)
        return FALSE;
    nest_set_error(error, NEST_ERROR_VM_STATE, NULL,
        "operation %" G_GINT64_FORMAT " has ended (%s)", id,
        nest_nick(nest_operation_state_nicks, operation->state));
    return FALSE;
}
