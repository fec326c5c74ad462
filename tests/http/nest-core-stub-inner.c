/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core.h"

/* What is inside VMs, as the stub has it. */

void nest_core_inner_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_task_return_pointer(
        task, nest_record_new(&nest_inner_vms_record), (GDestroyNotify)nest_inner_vms_free);
}

NestInnerVms *nest_core_inner_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

static NestInnerVm *make_inner(const char *name)
{
    NestInnerVm *vm = nest_record_new(&nest_inner_vm_record);
    vm->name = g_strdup(name);
    vm->by = g_strdup("libvirt");
    return vm;
}

void nest_core_inner_vm_async(NestCore *core, const char *vm, const char *inner, const char *by,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_task_return_pointer(task, make_inner(inner), (GDestroyNotify)nest_inner_vm_free);
}

NestInnerVm *nest_core_inner_vm_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_inner_console_async(NestCore *core, const char *vm, const char *inner,
    const char *by, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    NestInnerConsole *console = nest_record_new(&nest_inner_console_record);
    console->name = g_strdup(inner);
    console->by = g_strdup("libvirt");
    console->text = g_strdup("hello\n");
    g_task_return_pointer(task, console, (GDestroyNotify)nest_inner_console_free);
}

NestInnerConsole *nest_core_inner_console_finish(
    NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_tree_async(NestCore *core, const char *vm, gboolean inside,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_autoptr(NestTree) tree = nest_record_new(&nest_tree_record);
    g_task_return_pointer(task, nest_codec_to_text(&nest_tree_record, tree), g_free);
}

char *nest_core_tree_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
