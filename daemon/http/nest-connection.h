/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-exchange.h"

/* One client: reads requests, one at a time, hands each to nest_router_run(), writes replies, and
 * keeps the deadlines. Main thread. */

/* Takes fd, which must not block. */
NestConnection *nest_connection_new(NestHttp *http, int fd, const NestCaller *caller);

/* Closes it; the server forgets it. */
void nest_connection_close(NestConnection *connection);

uid_t nest_connection_uid(const NestConnection *connection);
gint64 nest_connection_deadline(const NestConnection *connection); /* 0: none */
void nest_connection_expired(NestConnection *connection);

/* Writes the reply to the request in hand. headers: more lines (nullable). body may be NULL. */
void nest_connection_reply(
    NestConnection *connection, guint status, const char *type, const char *headers, GBytes *body);

/* Gives the request in hand until deadline_ms from now for its reply. */
void nest_connection_extend(NestConnection *connection, guint deadline_ms);

/* Takes the body of the request in hand as it comes, whose route is raw: a piece after each call of
 * nest_connection_take(), and closed where the connection goes before the reply: data is not used
 * any more then. A reply may come at any time; the rest of the body is let pass. */
typedef struct {
    void (*piece)(GBytes *piece, gpointer data);
    void (*closed)(gpointer data);
    gpointer data;
} NestUploadHooks;
void nest_connection_upload(NestConnection *connection, const NestUploadHooks *hooks);
void nest_connection_take(NestConnection *connection);

/* Instead of a reply: a stream that lasts until one side closes. drained: the main loop has come
 * round after nest_connection_more() or after waiting for the client, and everything written has
 * left; closed: the connection is gone, data is not used any more. */
typedef struct {
    void (*drained)(gpointer data);
    void (*closed)(gpointer data);
    gpointer data;
} NestStreamHooks;
void nest_connection_stream(
    NestConnection *connection, const char *type, const NestStreamHooks *hooks);
/* Adds length > 0 bytes to the stream. FALSE: the connection has closed. */
gboolean nest_connection_write(NestConnection *connection, const char *text, gsize length);

/* drained is called in the next turn of the main loop, if everything has left by then. */
void nest_connection_more(NestConnection *connection);

/* The end of the stream: it is closed once everything has left, and no hook is called any more. */
void nest_connection_end(NestConnection *connection);

/* Bytes written that have not left yet. */
gsize nest_connection_unsent(const NestConnection *connection);
