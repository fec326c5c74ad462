/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-inner.h"

/* What is inside a VM, as its guest says now. */

#define SECONDS 20

typedef struct {
    NestCore *core;
    GTask *task;
    char *uuid;
    char *name; /* of the one that is wanted; NULL: all are */
    gboolean console;
    guint64 memory_kib;
    guint vcpus;
} Visit;

static void visit_free(gpointer data)
{
    Visit *visit = data;
    g_object_unref(visit->task);
    g_free(visit->uuid);
    g_free(visit->name);
    g_free(visit);
}

static void answer(const Visit *visit, NestInner *inner)
{
    GError *error = NULL;
    const NestInnerVm *vm = NULL;
    gpointer value = NULL;
    if (visit->name == NULL) {
        value = nest_inner_show(inner, NEST_INNER_MAX, visit->memory_kib, visit->vcpus);
        g_task_return_pointer(visit->task, value, (GDestroyNotify)nest_inner_vms_free);
        return;
    }
    vm = nest_inner_find(inner, visit->name, NULL, &error);
    if (vm != NULL && !visit->console) {
        value = nest_record_copy(&nest_inner_vm_record, vm);
        g_task_return_pointer(visit->task, value, (GDestroyNotify)nest_inner_vm_free);
        return;
    }
    if (vm != NULL)
        value = nest_inner_console(inner, vm, &error);
    if (value != NULL)
        g_task_return_pointer(visit->task, value, (GDestroyNotify)nest_inner_console_free);
    else
        g_task_return_error(visit->task, error);
}

static void work(gpointer data)
{
    Visit *visit = data;
    GError *error = NULL;
    g_autoptr(NestInner) inner =
        nest_inner_visit(visit->core->backend, visit->uuid, SECONDS, visit->core->ending, &error);
    if (inner != NULL)
        answer(visit, inner);
    else
        g_task_return_error(visit->task, error);
    visit_free(visit);
}

static void go(gpointer data)
{
    Visit *visit = data;
    nest_core_push(visit->core, visit->core->visitors, work, visit);
}

static void visit_async(NestCore *core, const char *vm, const char *name, gboolean console,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    NestVmEntry entry;
    if (!nest_core_check_open(core, &error) || !nest_core_vm(core, vm, &entry, &error)) {
        g_task_return_error(task, error);
        return;
    }
    g_autoptr(NestVmSummary) summary =
        nest_codec_from_text(&nest_vm_summary_record, entry.summary, -1, NEST_CODEC_LENIENT, NULL);
    Visit *visit = g_new0(Visit, 1);
    *visit = (Visit){core, g_object_ref(task), g_strdup(entry.uuid), g_strdup(name), console,
        summary != NULL ? summary->memory_kib : 0, summary != NULL ? summary->vcpus : 0};
    nest_core_when_open(core, go, visit, visit_free, task);
}

void nest_core_inner_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    visit_async(core, vm, NULL, FALSE, callback, user_data);
}

NestInnerVms *nest_core_inner_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_inner_vm_async(NestCore *core, const char *vm, const char *inner,
    GAsyncReadyCallback callback, gpointer user_data)
{
    visit_async(core, vm, inner, FALSE, callback, user_data);
}

NestInnerVm *nest_core_inner_vm_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_inner_console_async(NestCore *core, const char *vm, const char *inner,
    GAsyncReadyCallback callback, gpointer user_data)
{
    visit_async(core, vm, inner, TRUE, callback, user_data);
}

NestInnerConsole *nest_core_inner_console_finish(
    NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
