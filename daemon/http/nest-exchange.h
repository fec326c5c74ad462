/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-head.h"
#include "nest-http-private.h"
#include "nest-record.h"

/* One request and its reply. Counted references: a handler that waits for the core takes one, and
 * may reply at any later time; a reply after the client has gone, or after the deadline, is
 * dropped. Main thread. */

typedef struct NestRoute NestRoute;

#define NEST_PARAMS_MAX 3

typedef struct {
    NestCore *core;
    NestHttp *http; /* only valid while connection is set */
    NestConnection *connection; /* NULL once replied, or the client has gone */
    NestCaller caller;
    NestHead head;
    const NestRoute *route; /* NULL until one is found */
    char *vm; /* {vm}, decoded */
    char *item; /* {checkpoint}, decoded */
    gint64 id; /* {id} */
    gint64 params[NEST_PARAMS_MAX]; /* in the order of the route's table */
    char *texts[NEST_PARAMS_MAX]; /* likewise; NULL where not given, or no text */
    gpointer body; /* the record of the route's body; a handler may steal it */
    NestLarge *large; /* nullable: what holds its place until all is freed */
    GString *headers; /* more header lines of the reply, each with CRLF */
    const char *trial; /* what takes its time; NULL: nothing does */
} NestExchange;

/* Takes what head holds. */
NestExchange *nest_exchange_new(
    NestHttp *http, NestConnection *connection, const NestCaller *caller, NestHead *head);
NestExchange *nest_exchange_ref(NestExchange *exchange);
void nest_exchange_unref(NestExchange *exchange);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestExchange, nest_exchange_unref)

/* What the reply waits for runs something, and may take NEST_TRIAL_TIMES the time of other replies.
 * It goes on where nobody waits for it any more, and is kept where GET of the same path finds it.
 * trial ("the proof") is not copied. */
#define NEST_TRIAL_TIMES 5
void nest_exchange_begin_trial(NestExchange *exchange, const char *trial);

/* TIMEOUT: the reply is late. */
void nest_exchange_late(const NestExchange *exchange, GError **error);

/* Adds a header to the reply. value must be free of control characters. */
void nest_exchange_header(NestExchange *exchange, const char *name, const char *value);
