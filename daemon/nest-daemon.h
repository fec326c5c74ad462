/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-config.h"
#include "nest-host-hands.h"
#include "nest-store.h"

/* Makes the backend that config asks for and store remembers. Must not connect yet. */
typedef NestBackend *(*NestMakeBackend)(const NestConfig *config, NestStore *store, GError **error);

/* Makes what changes the host; backend is what was made before. */
typedef NestHostHands *(*NestMakeHands)(const NestConfig *config, NestBackend *backend);

/* All of nestd but its backend: parses the command line, serves until SIGTERM or SIGINT, returns
 * the exit status. */
int nest_daemon_main(int argc, char **argv, NestMakeBackend make_backend, NestMakeHands make_hands);
