/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guard-outside.h"

/* What others ask of the hypervisor, judged while it waits for the answer. It may hold the VM
 * meanwhile: nothing here may ask the hypervisor, nor wait for who does. So readers are no good. */

typedef struct {
    NestCore *core;
    GTask *task; /* its data: the definition */
    NestOutsideKind kind;
    NestHostSnapshot *host;
    NestVmReading *reading;
    GError *problem; /* why there is none */
} Question;

static void question_free(Question *question)
{
    g_object_unref(question->task);
    nest_host_snapshot_unref(question->host);
    nest_vm_reading_free(question->reading);
    g_clear_error(&question->problem);
    g_free(question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Question, question_free)

static NestOutside known_of(NestCore *core, const char *uuid)
{
    NestOutside outside = {0};
    NestVmCard *card = uuid != NULL ? nest_inventory_find(core->inventory, uuid) : NULL;
    if (uuid != NULL)
        outside.own = nest_operations_of_vm(core->operations, uuid) != NULL;
    if (card == NULL)
        return outside;
    outside.known = TRUE;
    outside.state = card->state;
    outside.saved_time = card->saved_time;
    outside.nesting = nest_vm_card_nesting(card);
    return outside;
}

static NestAction *action_from(const char *operation, const NestGuardVerdict *verdict)
{
    NestAction *action = nest_record_new(&nest_action_record);
    action->id = g_strdup(operation);
    action->say = (NestActionSay)verdict->say;
    action->reason = g_strdup(verdict->reason);
    action->next = g_strdup(verdict->next);
    return action;
}

static void free_action(gpointer action)
{
    nest_action_free(action);
}

static void answer(gpointer data)
{
    g_autoptr(Question) question = data;
    NestCore *core = question->core;
    if (question->reading == NULL) {
        g_task_return_error(question->task, g_steal_pointer(&question->problem));
        return;
    }
    const NestVmView *view = &question->reading->view;
    NestOutside outside = known_of(core, view->facts->uuid);
    g_autoptr(NestGuardVerdict) verdict =
        nest_guard_judge_outside(question->kind, view, &outside, core->config->parity);
    g_task_return_pointer(
        question->task, action_from(nest_outside_nicks[question->kind], verdict), free_action);
}

/* The VM that xml would be. */
static NestVmReading *imagine(const Question *question, const char *xml, GError **error)
{
    g_autoptr(NestDomain) domain = nest_domain_read(xml, error);
    if (domain == NULL)
        return NULL;
    if (domain->uuid == NULL || domain->name == NULL) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
            "give the XML that libvirt hands its hook",
            "the definition has no <%s>: nobody knows which virtual machine it is",
            domain->uuid == NULL ? "uuid" : "name");
        return NULL;
    }
    gboolean runs = question->kind == NEST_OUTSIDE_MIGRATE_IN;
    NestVmFacts *facts = g_new0(NestVmFacts, 1);
    facts->uuid = g_strdup(domain->uuid);
    facts->name = g_strdup(domain->name);
    facts->state = runs ? NEST_VM_RUNNING : NEST_VM_OFF;
    facts->xml = g_strdup(xml);
    facts->live_xml = runs ? g_strdup(xml) : NULL;
    NestVmReading *reading =
        nest_vm_reading_new(facts, question->host, question->core->marks, error);
    if (reading != NULL)
        reading->marks->activity = NEST_ACTIVITY_NONE; /* of the VM that was here before */
    return reading;
}

static void read_work(gpointer data)
{
    Question *question = data;
    question->reading = imagine(question, g_task_get_task_data(question->task), &question->problem);
    nest_core_post(answer, question);
}

void nest_core_guard_async(
    NestCore *core, const NestGuardWish *wish, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    if (core->host == NULL || core->host->caps == NULL || core->stopping) {
        g_task_return_new_error(task, NEST_ERROR, NEST_ERROR_BACKEND_UNAVAILABLE,
            "nestd does not know yet what this host can do");
        return;
    }
    Question *question = g_new0(Question, 1);
    question->core = core;
    question->task = g_object_ref(task);
    question->kind = wish->operation;
    question->host = nest_host_snapshot_ref(core->host);
    g_task_set_task_data(task, g_strdup(wish->xml), g_free);
    nest_core_push(core, core->prober, read_work, question);
}

NestAction *nest_core_guard_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
