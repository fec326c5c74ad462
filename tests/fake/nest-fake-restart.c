/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-call.h"

static gboolean effect_restart(NestFake *fake, NestFakeCall *call, GError **error)
{
    const NestFakeVm *vm = nest_fake_state_get(fake->state, call->uuid);
    if (vm == NULL) {
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL,
            "Domain not found: no domain with matching uuid '%s'", call->uuid);
        return FALSE;
    }
    if (vm->state == NEST_VM_OFF) {
        nest_set_error(error, NEST_ERROR_VM_STATE, NULL,
            "Requested operation is not valid: domain is not running");
        return FALSE;
    }
    NestFakeVm *anew = nest_fake_vm_copy(vm);
    anew->restarts++;
    return nest_fake_state_put(fake->state, anew, error);
}

/* The setting "reboot=never": a guest that does not listen. */
static gboolean listens(NestFake *fake)
{
    g_autofree char *told = nest_fake_control_setting(fake->control, "reboot");
    return g_strcmp0(told, "never") != 0;
}

static gboolean wait_in_vain(guint timeout_ms, GCancellable *cancellable, GError **error)
{
    const gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    while (!g_cancellable_is_cancelled(cancellable) && g_get_monotonic_time() < deadline)
        g_usleep(2000);
    if (g_cancellable_is_cancelled(cancellable))
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "waiting was cancelled");
    else
        nest_set_error(
            error, NEST_ERROR_TIMEOUT, NULL, "the domain did not restart within %u ms", timeout_ms);
    return FALSE;
}

gboolean nest_fake_restart(NestBackend *self, const char *uuid, gboolean hard, guint timeout_ms,
    GCancellable *cancellable, GError **error)
{
    NestFake *fake = (NestFake *)self;
    NestFakeCall call = {.slot = "restart", .uuid = uuid};
    if (!hard && !listens(fake))
        return wait_in_vain(timeout_ms, cancellable, error);
    return nest_fake_call_run(fake, &call, effect_restart, error);
}
