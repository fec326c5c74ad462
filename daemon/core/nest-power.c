/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-power.h"
#include "nest-error.h"
#include "nest-record.h"

gboolean nest_power_is_off(NestVmState state)
{
    return state == NEST_VM_OFF || state == NEST_VM_SAVED;
}

/* The guest may have gone off by itself just now: what counts is how it is. */
static gboolean ask_to_shut_down(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(NestVmFacts) facts = NULL;
    if (backend->ops->shutdown(backend, uuid, &problem))
        return TRUE;
    if (backend->ops->read(backend, uuid, &facts, NULL) && nest_power_is_off(facts->state))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

gboolean nest_power_shut_down(NestBackend *backend, const char *uuid, guint seconds,
    GCancellable *cancellable, GError **error)
{
    return ask_to_shut_down(backend, uuid, error) &&
        backend->ops->wait_off(backend, uuid, seconds * 1000, cancellable, error);
}

gboolean nest_power_stop(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(NestVmFacts) facts = NULL;
    if (!backend->ops->stop(backend, uuid, error) ||
        !backend->ops->read(backend, uuid, &facts, error))
        return FALSE;
    if (nest_power_is_off(facts->state))
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL, "%s was powered off, but is still %s",
        facts->name, nest_nick(nest_vm_state_nicks, facts->state));
    return FALSE;
}
