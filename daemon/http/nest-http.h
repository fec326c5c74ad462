/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-core.h"

/* The API on a Unix socket. Main thread. */
typedef struct NestHttp NestHttp;

/* Listens on the fds given by socket activation (LISTEN_FDS), else binds config->socket: a stale
 * socket is replaced, one that answers is ALREADY_RUNNING, anything that is not a socket is left
 * alone and is an error. Mode 0660, group config->socket_group where that exists. */
NestHttp *nest_http_new(NestCore *core, const NestConfig *config, GError **error);
void nest_http_free(NestHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHttp, nest_http_free)
