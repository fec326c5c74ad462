/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

#define NEST_GUEST_ANSWER_SECONDS 5

/* What the agent inside the VM says; blocks for half a minute at most. */
NestGuest *nest_guest_read(NestBackend *backend, const char *uuid, GError **error);
