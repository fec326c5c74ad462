/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guest-read.h"

/* What the agent inside a VM says, and what all who visit guests have in common. */

gboolean nest_core_enter_guest(
    NestCore *core, const char *vm, char **ret_uuid, char **ret_name, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_check_open(core, error) || !nest_core_vm(core, vm, &entry, error))
        return FALSE;
    if (core->state != NEST_CORE_OPEN) {
        nest_set_error(error, NEST_ERROR_BACKEND_OPENING, "try again in a moment",
            "the hypervisor is being opened");
        return FALSE;
    }
    if (core->execs > NEST_VISITORS / 2) {
        nest_set_error(error, NEST_ERROR_TOO_MANY, "wait until one has ended",
            "%u commands and transfers are under way inside virtual machines", NEST_VISITORS / 2);
        return FALSE;
    }
    *ret_uuid = g_strdup(entry.uuid);
    *ret_name = g_strdup(entry.name);
    return TRUE;
}

gboolean nest_core_note_visit(NestCore *core, const char *kind, const char *uuid, const char *name,
    const char *message, GError **error)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)nest_event_free);
    NestEvent *event = nest_record_new(&nest_event_record);
    event->kind = g_strdup(kind);
    event->uuid = g_strdup(uuid);
    event->name = g_strdup(name);
    event->message = g_utf8_make_valid(message, -1);
    g_ptr_array_add(events, event);
    return nest_store_add_events(core->store, events, error);
}

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

static void work(gpointer data)
{
    Visit *visit = data;
    GError *error = NULL;
    NestGuest *guest = nest_guest_read(visit->core->backend, visit->uuid, &error);
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
