/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-config.h"

/* The listening sockets: those of socket activation, else one bound to config->socket. */
typedef struct {
    GArray *fds; /* int; listening, non-blocking, close-on-exec */
    char *path; /* of the socket that was bound here; removed by nest_listen_free() */
    int lock; /* held while this daemon serves path; -1 where nothing was bound */
} NestListen;

NestListen *nest_listen_new(const NestConfig *config, GError **error);
void nest_listen_free(NestListen *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestListen, nest_listen_free)
