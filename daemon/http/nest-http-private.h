/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-http.h"
#include "nest-large.h"

/* What the parts of the server need of each other. */

typedef struct NestConnection NestConnection;
typedef struct NestEventHub NestEventHub;

NestCore *nest_http_core(NestHttp *http);
const NestConfig *nest_http_config(NestHttp *http);
const NestHttpLimits *nest_http_limits(NestHttp *http);
NestLargePlaces *nest_http_large(NestHttp *http);
NestEventHub *nest_http_hub(NestHttp *http);

/* Sees to it that nest_connection_expired() is called for every connection whose deadline has
 * come, deadline (monotonic microseconds) at the latest. */
void nest_http_arm(NestHttp *http, gint64 deadline);

/* connection has closed. */
void nest_http_forget(NestHttp *http, NestConnection *connection);

/* TRUE at most once a second for each kind of line: what clients can provoke must not flood the
 * log. */
typedef enum {
    NEST_LOG_FULL,
    NEST_LOG_ACCEPT,
    NEST_LOG_SLOW,
    NEST_LOG_EVENTS,
    NEST_N_LOGS
} NestLogKind;
gboolean nest_http_may_log(NestHttp *http, NestLogKind kind);
