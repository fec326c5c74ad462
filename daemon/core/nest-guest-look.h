/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-guest-facts.h"

/* What the guest of a VM says of itself, through its agent and a script that it runs; blocks for
 * half a minute or so at most. Never NULL: what went wrong is in it. */
NestGuestFacts *nest_guest_look(NestBackend *backend, const char *uuid, GCancellable *cancellable);

/* The agent runs commands, and tells how they end. */
gboolean nest_guest_look_may_run(const NestGuest *guest);
