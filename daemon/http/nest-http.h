/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-core.h"

/* The API on a Unix socket. Main thread. */
typedef struct NestHttp NestHttp;

/* What a client may take; milliseconds and bytes. */
typedef struct {
    guint head_timeout; /* from connecting, or the first byte, to the end of the head */
    guint request_timeout; /* from the same moment to the end of the body */
    guint idle_timeout; /* between requests */
    guint reply_timeout; /* until the core has answered; 0: that of the configuration */
    guint write_timeout; /* until a reply is read; for events: until some of it is */
    guint linger_timeout; /* reading on after a refusal so that the client can see it */
    guint heartbeat; /* between comments in a stream of events */
    gsize head_max;
    gsize body_max;
    gsize large_max; /* of the body of a request that brings a definition */
    gsize raw_max; /* of one that is taken as it comes */
    guint upload_timeout; /* until more of such a body comes */
    gsize backlog_max; /* events not yet read by a client before it is cut off */
} NestHttpLimits;

extern const NestHttpLimits nest_http_default_limits;

/* Listens on the fds given by socket activation (LISTEN_FDS), else binds config->socket: a stale
 * socket is replaced, one that answers is ALREADY_RUNNING, anything that is not a socket is left
 * alone and is an error. Mode 0660, group config->socket_group where that exists. */
NestHttp *nest_http_new(NestCore *core, const NestConfig *config, GError **error);

/* The same with other limits than the default ones (copied). */
NestHttp *nest_http_new_with_limits(
    NestCore *core, const NestConfig *config, const NestHttpLimits *limits, GError **error);

/* Closes every connection; replies that the core still owes are dropped. Before nest_core_free. */
void nest_http_free(NestHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHttp, nest_http_free)
