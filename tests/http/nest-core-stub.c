/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-stub.h"
#include "nest-codec.h"
#include "nest-error.h"
#include <string.h>

struct NestCore {
    GArray *vms; /* NestVmEntry */
    GPtrArray *operations;
    GPtrArray *events;
    GPtrArray *silent; /* GTask */
    NestEventsFunc func;
    gpointer func_data;
};

static void add_check(NestVm *vm, const char *id, NestVerdict verdict)
{
    NestCheck *check = nest_record_new(&nest_check_record);
    check->id = g_strdup(id);
    check->title = g_strdup("a thing that is as it should be");
    check->verdict = verdict;
    check->message = g_strdup("it was looked at, and this is what was found");
    check->read = g_strdup("/sys/some/where: Y");
    g_ptr_array_add(vm->checks, check);
}

static NestVmEntry make_vm(guint i)
{
    g_autoptr(NestVm) vm = nest_vm_new();
    vm->uuid = g_strdup_printf("00000000-0000-4000-8000-%012u", i);
    vm->name = i == 1 ? g_strdup("zwei Wörter") : g_strdup_printf("vm%u", i);
    vm->state = NEST_VM_OFF;
    vm->accel = NEST_ACCEL_KVM;
    vm->nesting = NEST_NESTING_ON;
    vm->extension = NEST_EXTENSION_VMX;
    vm->memory_kib = 4194304;
    vm->revision = g_strdup("0123456789abcdef");
    add_check(vm, "vm.bad", NEST_VERDICT_FAIL);
    NestVmEntry entry = {.brief = nest_codec_to_text(&nest_vm_record, vm)};
    for (guint n = 0; n < 12; n++)
        add_check(vm, "vm.good", NEST_VERDICT_PASS);
    NestVmSummary summary = {.uuid = vm->uuid, .name = vm->name, .state = vm->state};
    entry.text = nest_codec_to_text(&nest_vm_record, vm);
    entry.summary = nest_codec_to_text(&nest_vm_summary_record, &summary);
    entry.uuid = g_steal_pointer(&vm->uuid);
    entry.name = g_steal_pointer(&vm->name);
    entry.revision = g_steal_pointer(&vm->revision);
    return entry;
}

static void clear_entry(gpointer data)
{
    const NestVmEntry *entry = data;
    const char *const owned[] = {
        entry->uuid, entry->name, entry->revision, entry->text, entry->summary, entry->brief};
    for (guint i = 0; i < G_N_ELEMENTS(owned); i++)
        g_free((char *)owned[i]);
}

static void free_event(gpointer event)
{
    nest_event_free(event);
}

static void free_operation(gpointer operation)
{
    nest_operation_free(operation);
}

NestCore *nest_core_stub_new(guint vms)
{
    NestCore *core = g_new0(NestCore, 1);
    core->vms = g_array_new(FALSE, FALSE, sizeof(NestVmEntry));
    g_array_set_clear_func(core->vms, clear_entry);
    for (guint i = 0; i < vms; i++) {
        NestVmEntry entry = make_vm(i);
        g_array_append_val(core->vms, entry);
    }
    core->operations = g_ptr_array_new_with_free_func(free_operation);
    core->events = g_ptr_array_new_with_free_func(free_event);
    core->silent = g_ptr_array_new_with_free_func(g_object_unref);
    return core;
}

void nest_core_stub_free(NestCore *core)
{
    g_array_unref(core->vms);
    g_ptr_array_unref(core->operations);
    g_ptr_array_unref(core->events);
    g_ptr_array_unref(core->silent);
    g_free(core);
}

NestAbout *nest_core_about(NestCore *core)
{
    NestAbout *about = nest_record_new(&nest_about_record);
    about->version = g_strdup("stub");
    about->backend = g_strdup("open");
    about->vms = core->vms->len;
    return about;
}

gboolean nest_core_vm(NestCore *core, const char *ref, NestVmEntry *ret_entry, GError **error)
{
    for (guint i = 0; i < core->vms->len; i++) {
        const NestVmEntry *entry = &g_array_index(core->vms, NestVmEntry, i);
        if (strcmp(entry->uuid, ref) == 0 || strcmp(entry->name, ref) == 0) {
            *ret_entry = *entry;
            return TRUE;
        }
    }
    nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL, "there is no virtual machine %s", ref);
    return FALSE;
}

const GArray *nest_core_vms(NestCore *core)
{
    return core->vms;
}

const GArray *nest_core_vms_whole(NestCore *core, GError **error)
{
    return core->vms;
}

/* ---- answers that come later ---- */

typedef struct {
    NestOperation *operation;
    NestPlan *plan;
    GError *error;
} Answer;

static void answer_free(gpointer data)
{
    Answer *answer = data;
    nest_operation_free(answer->operation);
    nest_plan_free(answer->plan);
    g_clear_error(&answer->error);
    g_free(answer);
}

static gboolean on_late(gpointer data)
{
    GTask *task = data;
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
    return G_SOURCE_REMOVE;
}

static void answer_later(NestCore *core, GTask *task, const char *ref)
{
    if (g_strcmp0(ref, "silent") == 0)
        g_ptr_array_add(core->silent, task);
    else
        g_timeout_add(g_strcmp0(ref, "late") == 0 ? 100 : 0, on_late, task);
}

static GTask *new_task(GAsyncReadyCallback callback, gpointer user_data)
{
    return g_task_new(NULL, NULL, callback, user_data);
}

void nest_core_host_async(NestCore *core, GAsyncReadyCallback callback, gpointer user_data)
{
    answer_later(core, new_task(callback, user_data), NULL);
}

NestHost *nest_core_host_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    NestHost *host = nest_host_new();
    host->name = g_strdup("stub");
    return host;
}

static NestPlan *make_plan(const char *vm, gboolean enable)
{
    NestPlan *plan = nest_plan_new();
    plan->hash = g_strdup("feed");
    plan->uuid = g_strdup(vm);
    plan->enable = enable;
    return plan;
}

void nest_core_plan_async(NestCore *core, const char *vm, const NestNestedWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = new_task(callback, user_data);
    g_task_set_task_data(task, make_plan(vm, wish->enabled), (GDestroyNotify)nest_plan_free);
    answer_later(core, task, vm);
}

void nest_core_plan_undo_async(NestCore *core, const char *vm, const NestUndoWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    NestNestedWish same = {.enabled = FALSE};
    nest_core_plan_async(core, vm, &same, callback, user_data);
}

void nest_core_plan_install_async(NestCore *core, const char *vm, const NestInstallWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    NestNestedWish same = {.enabled = TRUE};
    nest_core_plan_async(core, vm, &same, callback, user_data);
}

void nest_core_repair_plan_async(
    NestCore *core, const NestHostWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    NestNestedWish same = {.enabled = TRUE};
    nest_core_plan_async(core, NULL, &same, callback, user_data);
}

void nest_core_repair_plan_undo_async(
    NestCore *core, const NestUndoWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    NestNestedWish same = {.enabled = FALSE};
    nest_core_plan_async(core, NULL, &same, callback, user_data);
}

void nest_core_history_async(NestCore *core, const char *vm, gint64 before, guint limit,
    GAsyncReadyCallback callback, gpointer user_data)
{
    answer_later(core, new_task(callback, user_data), vm);
}

static void free_revision(gpointer revision)
{
    nest_revision_free(revision);
}

GPtrArray *nest_core_history_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    GPtrArray *list = g_ptr_array_new_with_free_func(free_revision);
    NestRevision *revision = nest_record_new(&nest_revision_record);
    revision->id = 7;
    revision->kind = g_strdup("enable");
    g_ptr_array_add(list, revision);
    return list;
}

void nest_core_plan_xml_async(
    NestCore *core, const NestXmlWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = new_task(callback, user_data);
    NestXmlPlan *plan = nest_record_new(&nest_xml_plan_record);
    plan->xml = g_strdup(wish->xml);
    g_task_set_task_data(task, plan, (GDestroyNotify)nest_xml_plan_free);
    answer_later(core, task, g_str_has_prefix(wish->xml, "silent") ? "silent" : NULL);
}

NestXmlPlan *nest_core_plan_xml_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    return nest_record_copy(&nest_xml_plan_record, g_task_get_task_data(G_TASK(result)));
}

void nest_core_guard_async(
    NestCore *core, const NestGuardWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    answer_later(core, new_task(callback, user_data), NULL);
}

NestAction *nest_core_guard_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    NestAction *action = nest_record_new(&nest_action_record);
    action->id = g_strdup("restore");
    return action;
}

NestPlan *nest_core_plan_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    return nest_record_copy(&nest_plan_record, g_task_get_task_data(G_TASK(result)));
}

void nest_request_free(NestRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->vm);
    g_free(request->if_match);
    g_free(request->reason);
    nest_nested_wish_free(request->nested);
    nest_undo_wish_free(request->undo);
    nest_host_wish_free(request->host);
    nest_state_wish_free(request->state);
    nest_restart_wish_free(request->restart);
    nest_memory_wish_free(request->memory);
    nest_checkpoint_wish_free(request->checkpoint);
    nest_apply_wish_free(request->apply);
    g_free(request->item);
    nest_migration_wish_free(request->migration);
    nest_trust_wish_free(request->trust);
    nest_install_wish_free(request->install);
    nest_vm_spec_free(request->spec);
    nest_inner_spec_free(request->inner);
    nest_inner_wish_free(request->inner_state);
    g_free(request->by);
    g_free(request);
}

static void add_events(NestCore *core, const char *kind, guint64 n)
{
    for (; n > 0; n--) {
        NestEvent *event = nest_record_new(&nest_event_record);
        event->id = core->events->len + 1;
        event->kind = g_strdup(kind);
        event->message = g_strnfill(200, 'm');
        g_ptr_array_add(core->events, event);
    }
    if (core->func != NULL)
        core->func(core->func_data);
}

static NestOperation *add_operation(
    NestCore *core, const NestCaller *caller, const NestRequest *request)
{
    static const char *const kinds[] = {"enable", "undo", "start", "reboot", "memory", "checkpoint",
        "migrate", "create", "delete", "trust", "stop-unfit", "guest-create", "install-hypervisor",
        "host-fix", "host-undo"};
    G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == NEST_JOB_HOST_UNDO + 1);
    NestOperation *operation = nest_operation_new();
    operation->id = core->operations->len + 1;
    operation->kind = g_strdup(kinds[request->kind]);
    operation->name = g_strdup(request->vm);
    operation->state = NEST_OP_RUNNING;
    operation->uid = caller->uid;
    operation->pid = caller->pid;
    operation->note = g_strdup(request->if_match);
    g_ptr_array_add(core->operations, operation);
    gboolean flood = request->spec != NULL && strcmp(request->spec->name, "flood") == 0;
    add_events(core, "operation-started", flood ? request->spec->memory_kib : 1);
    return operation;
}

static Answer *decide(NestCore *core, const NestCaller *caller, const NestRequest *request)
{
    Answer *answer = g_new0(Answer, 1);
    if (g_strcmp0(request->vm, "busy") == 0)
        nest_set_error(&answer->error, NEST_ERROR_VM_BUSY, "wait", "busy is busy");
    const char *shown = request->nested != NULL ? request->nested->plan
        : request->undo != NULL                 ? request->undo->plan
                                                : NULL;
    if (request->nested != NULL || request->undo != NULL)
        answer->plan = make_plan(request->vm, request->nested != NULL && request->nested->enabled);
    if (shown != NULL && strcmp(shown, "feed") != 0)
        nest_set_error(&answer->error, NEST_ERROR_PLAN_OUTDATED, "look again", "it has changed");
    if (answer->error == NULL && g_strcmp0(request->vm, "idle") != 0)
        answer->operation = nest_operation_copy(add_operation(core, caller, request));
    return answer;
}

void nest_core_submit_async(NestCore *core, const NestCaller *caller, NestRequest *request,
    GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = new_task(callback, user_data);
    g_task_set_task_data(task, decide(core, caller, request), answer_free);
    answer_later(core, task, request->vm);
    nest_request_free(request);
}

gboolean nest_core_submit_finish(NestCore *core, GAsyncResult *result,
    NestOperation **ret_operation, NestPlan **ret_plan, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    Answer *answer = g_task_get_task_data(G_TASK(result));
    *ret_plan = g_steal_pointer(&answer->plan);
    if (answer->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&answer->error));
        return FALSE;
    }
    *ret_operation = g_steal_pointer(&answer->operation);
    return TRUE;
}

/* ---- operations ---- */

static NestOperation *find_operation(NestCore *core, gint64 id, GError **error)
{
    if (id > 0 && id <= core->operations->len)
        return core->operations->pdata[id - 1];
    nest_set_error(error, NEST_ERROR_OPERATION_NOT_FOUND, NULL, "there is no such operation");
    return NULL;
}

NestOperation *nest_core_operation(NestCore *core, gint64 id, GError **error)
{
    return nest_operation_copy(find_operation(core, id, error));
}

void nest_core_operation_wait_async(
    NestCore *core, gint64 id, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = new_task(callback, user_data);
    g_task_set_task_data(task, GSIZE_TO_POINTER(id), NULL);
    g_timeout_add(timeout_ms, on_late, task);
}

NestOperation *nest_core_operation_wait_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    gint64 id = GPOINTER_TO_SIZE(g_task_get_task_data(G_TASK(result)));
    return nest_core_operation(core, id, error);
}

GPtrArray *nest_core_operations(NestCore *core, gint64 before, guint limit, GError **error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_operation);
    for (guint i = core->operations->len; i > 0 && list->len < limit; i--)
        if (before == 0 || i < before)
            g_ptr_array_add(list, nest_operation_copy(core->operations->pdata[i - 1]));
    return list;
}

gboolean nest_core_abort(NestCore *core, gint64 id, GError **error)
{
    NestOperation *operation = find_operation(core, id, error);
    if (operation == NULL)
        return FALSE;
    operation->state = NEST_OP_ABORTED;
    return TRUE;
}

/* ---- events ---- */

GPtrArray *nest_core_events(NestCore *core, gint64 after, guint limit, GError **error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_event);
    for (gint64 i = MAX(after, 0); i < core->events->len && list->len < limit; i++)
        g_ptr_array_add(list, nest_record_copy(&nest_event_record, core->events->pdata[i]));
    return list;
}

gint64 nest_core_last_event(NestCore *core)
{
    return core->events->len;
}

guint nest_core_watch_events(NestCore *core, NestEventsFunc func, gpointer user_data)
{
    core->func = func;
    core->func_data = user_data;
    return 1;
}

void nest_core_unwatch_events(NestCore *core, guint id)
{
    core->func = NULL;
}

void nest_core_checkpoints_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_task_return_pointer(task, g_ptr_array_new(), (GDestroyNotify)g_ptr_array_unref);
}

GPtrArray *nest_core_checkpoints_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
