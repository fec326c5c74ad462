/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* Turning VMs off, and seeing that they are. Blocks; for workers. */

gboolean nest_power_is_off(NestVmState state);

/* Asks the guest to shut down and waits. TIMEOUT where it is not off after seconds, ABORTED where
 * cancelled; the request is out then all the same. */
gboolean nest_power_shut_down(NestBackend *backend, const char *uuid, guint seconds,
    GCancellable *cancellable, GError **error);

/* Powers off and reads it back. */
gboolean nest_power_stop(NestBackend *backend, const char *uuid, GError **error);
