/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"

/* What is answered elsewhere: from the main thread to one of a pool and back. */

typedef struct {
    NestQuestion question;
    const NestQuestionKind *kind;
    GTask *task;
} Asking;

static void asking_free(gpointer data)
{
    Asking *asking = data;
    NestQuestion *question = &asking->question;
    if (asking->kind->free_wish != NULL && question->wish != NULL)
        asking->kind->free_wish(question->wish);
    nest_host_snapshot_unref(question->host);
    g_clear_object(&asking->task);
    g_free(question->uuid);
    g_free(asking);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asking, asking_free)

static void work(gpointer data)
{
    g_autoptr(Asking) asking = data;
    GError *error = NULL;
    gpointer answer = asking->kind->answer(&asking->question, &error);
    if (answer == NULL)
        g_task_return_error(asking->task, error);
    else
        g_task_return_pointer(asking->task, answer, asking->kind->free_answer);
}

static void go(gpointer data)
{
    Asking *asking = data;
    NestCore *core = asking->question.core;
    asking->question.host = nest_host_snapshot_ref(core->host);
    nest_core_push(core, asking->kind->visits ? core->visitors : core->readers, work, asking);
}

void nest_core_ask(NestCore *core, const char *vm, const NestQuestionKind *kind, gpointer wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_autoptr(Asking) asking = g_new0(Asking, 1);
    NestQuestion *question = &asking->question;
    GError *error = NULL;
    *asking = (Asking){{.core = core, .wish = wish}, kind, g_object_ref(task)};
    if (!nest_core_check_open(core, &error) ||
        (vm != NULL && !nest_core_resolve(core, vm, &question->uuid, &error))) {
        g_task_return_error(task, error);
        return;
    }
    nest_core_when_open(core, go, g_steal_pointer(&asking), asking_free, task);
}
