/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent.h"
#include "nest-core-private.h"
#include "nest-error.h"

/* What the agent inside a VM says. */

#define ANSWER_SECONDS 5

typedef struct {
    NestCore *core;
    GTask *task;
    char *uuid;
} Visit;

static void visit_free(gpointer data)
{
    Visit *visit = data;
    g_object_unref(visit->task);
    g_free(visit->uuid);
    g_free(visit);
}

static char *ask(const Visit *visit, const char *command, GError **error)
{
    NestBackend *backend = visit->core->backend;
    g_autofree char *question = nest_agent_ask(command);
    char *answer = NULL;
    return backend->ops->agent(backend, visit->uuid, question, ANSWER_SECONDS, &answer, error)
        ? answer
        : NULL;
}

/* An agent that says no to this one is there all the same. */
static gboolean add_os(const Visit *visit, NestGuest *guest, GError **error)
{
    g_autoptr(GError) no = NULL;
    g_autofree char *answer = ask(visit, "guest-get-osinfo", &no);
    if (answer != NULL)
        return nest_agent_read_os(answer, guest, error);
    if (nest_error_code(no) == NEST_ERROR_HYPERVISOR)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&no));
    return FALSE;
}

static NestGuest *read_guest(const Visit *visit, GError **error)
{
    g_autoptr(NestGuest) guest = nest_record_new(&nest_guest_record);
    g_autofree char *answer = ask(visit, "guest-info", error);
    if (answer == NULL || !nest_agent_read_info(answer, guest, error) ||
        !add_os(visit, guest, error))
        return NULL;
    nest_agent_name_setting(guest);
    return g_steal_pointer(&guest);
}

static void work(gpointer data)
{
    Visit *visit = data;
    GError *error = NULL;
    NestGuest *guest = read_guest(visit, &error);
    if (guest == NULL)
        g_task_return_error(visit->task, error);
    else
        g_task_return_pointer(visit->task, guest, (GDestroyNotify)nest_guest_free);
    visit_free(visit);
}

static void go(gpointer data)
{
    Visit *visit = data;
    nest_core_push(visit->core, visit->core->visitors, work, visit);
}

void nest_core_guest_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Visit *visit = g_new0(Visit, 1);
    *visit = (Visit){core, g_object_ref(task), uuid};
    nest_core_when_open(core, go, visit, visit_free, task);
}

NestGuest *nest_core_guest_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
