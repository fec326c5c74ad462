/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-inner.h"

/* What is inside a VM, as its guest says now. */

#define SECONDS 20

typedef struct {
    char *name; /* of the one that is wanted; NULL: all are */
    char *by; /* its hypervisor; NULL: any */
    guint64 memory_kib; /* of the VM that they are in */
    guint vcpus;
} Wish;

static void wish_free(gpointer data)
{
    Wish *wish = data;
    g_free(wish->name);
    g_free(wish->by);
    g_free(wish);
}

static NestInner *visit(const NestQuestion *question, GError **error)
{
    NestCore *core = question->core;
    return nest_inner_visit(core->backend, question->uuid, SECONDS, core->ending, error);
}

static gpointer list(const NestQuestion *question, GError **error)
{
    const Wish *wish = question->wish;
    g_autoptr(NestInner) inner = visit(question, error);
    return inner != NULL ? nest_inner_show(inner, NEST_INNER_MAX, wish->memory_kib, wish->vcpus)
                         : NULL;
}

/* inner NULL: there is an error already. */
static const NestInnerVm *find(const NestInner *inner, const Wish *wish, GError **error)
{
    return inner != NULL ? nest_inner_find(inner, wish->name, wish->by, error) : NULL;
}

static gpointer show(const NestQuestion *question, GError **error)
{
    const Wish *wish = question->wish;
    g_autoptr(NestInner) inner = visit(question, error);
    const NestInnerVm *vm = find(inner, wish, error);
    return vm != NULL ? nest_record_copy(&nest_inner_vm_record, vm) : NULL;
}

static gpointer read_console(const NestQuestion *question, GError **error)
{
    const Wish *wish = question->wish;
    g_autoptr(NestInner) inner = visit(question, error);
    const NestInnerVm *vm = find(inner, wish, error);
    return vm != NULL ? nest_inner_console(inner, vm, error) : NULL;
}

static const NestQuestionKind list_kind = {
    TRUE, list, (GDestroyNotify)nest_inner_vms_free, wish_free};
static const NestQuestionKind show_kind = {
    TRUE, show, (GDestroyNotify)nest_inner_vm_free, wish_free};
static const NestQuestionKind console_kind = {
    TRUE, read_console, (GDestroyNotify)nest_inner_console_free, wish_free};

static void ask(NestCore *core, const char *vm, const char *name, const char *by,
    const NestQuestionKind *kind, GAsyncReadyCallback callback, gpointer user_data)
{
    NestVmEntry entry;
    g_autoptr(NestVmSummary) summary = NULL;
    if (nest_core_vm(core, vm, &entry, NULL))
        summary = nest_codec_from_text(
            &nest_vm_summary_record, entry.summary, -1, NEST_CODEC_LENIENT, NULL);
    Wish *wish = g_new0(Wish, 1);
    *wish = (Wish){g_strdup(name), g_strdup(by), summary != NULL ? summary->memory_kib : 0,
        summary != NULL ? summary->vcpus : 0};
    nest_core_ask(core, vm, kind, wish, callback, user_data);
}

void nest_core_inner_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    ask(core, vm, NULL, NULL, &list_kind, callback, user_data);
}

NestInnerVms *nest_core_inner_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_inner_vm_async(NestCore *core, const char *vm, const char *inner, const char *by,
    GAsyncReadyCallback callback, gpointer user_data)
{
    ask(core, vm, inner, by, &show_kind, callback, user_data);
}

NestInnerVm *nest_core_inner_vm_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_inner_console_async(NestCore *core, const char *vm, const char *inner,
    const char *by, GAsyncReadyCallback callback, gpointer user_data)
{
    ask(core, vm, inner, by, &console_kind, callback, user_data);
}

NestInnerConsole *nest_core_inner_console_finish(
    NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
