/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-call.h"

/* What arrives is not the fake's to show; what leaves is gone. */
static gboolean effect_migrate(NestFake *fake, NestFakeCall *call, GError **error)
{
    if (nest_fake_state_get(fake->state, call->uuid) != NULL)
        return nest_fake_state_remove(fake->state, call->uuid, error);
    nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, NULL,
        "Domain not found: no domain with matching uuid '%s'", call->uuid);
    return FALSE;
}

gboolean nest_fake_migrate(NestBackend *self, const char *uuid, const char *to, gboolean offline,
    guint timeout_ms, GCancellable *cancellable, GError **error)
{
    NestFakeCall call = {.slot = "migrate", .uuid = uuid};
    return nest_fake_call_run((NestFake *)self, &call, effect_migrate, error);
}
