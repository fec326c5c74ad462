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

static gpointer read_guest(const NestQuestion *question, GError **error)
{
    return nest_guest_read(question->core->backend, question->uuid, error);
}

static const NestQuestionKind kind = {TRUE, read_guest, (GDestroyNotify)nest_guest_free, NULL};

void nest_core_guest_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    nest_core_ask(core, vm, &kind, NULL, callback, user_data);
}

NestGuest *nest_core_guest_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
