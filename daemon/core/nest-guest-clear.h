/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-traces.h"

/* Ends what trace tells of in the guest, where it still runs in the run of the guest that it was
 * begun in, and takes it away. Blocks, for less than half a minute. *ret_found: there was
 * something. VM_UNFIT where the guest can't; else as the agent of NestBackendOps. */
gboolean nest_guest_clear(NestBackend *backend, const NestTrace *trace, GCancellable *cancellable,
    gboolean *ret_found, GError **error);
