/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-host-change.h"
#include "nest-undo.h"

/* What was changed in definitions, from the store; never the definitions, which hold secrets. */

typedef struct {
    NestCore *core;
    GTask *task;
    char *uuid;
    gint64 before;
    guint limit;
} Asking;

static void free_revision(gpointer revision)
{
    nest_revision_free(revision);
}

static char *summarize(const NestStoredRevision *stored, gboolean host)
{
    if (!host)
        return nest_undo_summary(stored);
    g_autoptr(NestHostChange) change = nest_host_change_from_text(stored->after_xml, NULL);
    return change != NULL ? nest_host_change_summary(change) : g_strdup("it can't be read");
}

static NestRevision *show(const NestStoredRevision *stored, gboolean host)
{
    NestRevision *revision = nest_record_new(&nest_revision_record);
    revision->id = stored->id;
    revision->time = stored->time;
    revision->kind = g_strdup(stored->kind);
    revision->operation = stored->operation;
    revision->uid = stored->uid;
    revision->summary = summarize(stored, host);
    return revision;
}

static void history_work(gpointer data)
{
    Asking *asking = data;
    GError *error = NULL;
    g_autoptr(GPtrArray) stored = NULL;
    if (!nest_store_revisions(
            asking->core->store, asking->uuid, asking->before, asking->limit, &stored, &error)) {
        g_task_return_error(asking->task, error);
    } else {
        GPtrArray *shown = g_ptr_array_new_with_free_func(free_revision);
        for (guint i = 0; i < stored->len; i++)
            g_ptr_array_add(shown, show(g_ptr_array_index(stored, i), asking->uuid == NULL));
        g_task_return_pointer(asking->task, shown, (GDestroyNotify)g_ptr_array_unref);
    }
    g_object_unref(asking->task);
    g_free(asking->uuid);
    g_free(asking);
}

void nest_core_history_async(NestCore *core, const char *vm, gint64 before, guint limit,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (vm != NULL && !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Asking *asking = g_new0(Asking, 1);
    *asking = (Asking){core, g_object_ref(task), uuid, before, limit};
    nest_core_push(core, core->readers, history_work, asking);
}

GPtrArray *nest_core_history_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
