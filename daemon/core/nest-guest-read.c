/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-read.h"
#include "nest-agent.h"
#include "nest-error.h"
#include "nest-record.h"

static char *ask(NestBackend *backend, const char *uuid, const char *command, GError **error)
{
    g_autofree char *question = nest_agent_ask(command);
    char *answer = NULL;
    return backend->ops->agent(backend, uuid, question, NEST_GUEST_ANSWER_SECONDS, &answer, error)
        ? answer
        : NULL;
}

/* An agent that says no to this one is there all the same. */
static gboolean add_os(NestBackend *backend, const char *uuid, NestGuest *guest, GError **error)
{
    g_autoptr(GError) no = NULL;
    g_autofree char *answer = ask(backend, uuid, "guest-get-osinfo", &no);
    if (answer != NULL)
        return nest_agent_read_os(answer, guest, error);
    if (nest_error_code(no) == NEST_ERROR_HYPERVISOR)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&no));
    return FALSE;
}

NestGuest *nest_guest_read(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(NestGuest) guest = nest_record_new(&nest_guest_record);
    g_autofree char *answer = ask(backend, uuid, "guest-info", error);
    if (answer == NULL || !nest_agent_read_info(answer, guest, error) ||
        !add_os(backend, uuid, guest, error))
        return NULL;
    nest_agent_name_setting(guest);
    return g_steal_pointer(&guest);
}
