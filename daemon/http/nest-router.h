/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-exchange.h"
#include "nest-rights.h"

/* The routes: one const table, which schema/openapi.yaml is held equal to by a test. */

/* A query parameter: an integer, or a text. */
typedef struct {
    const char *name;
    gint64 min, max; /* of a text its bytes; it must be given where min is above 0 */
    gint64 initial; /* its value where it is not given */
    gboolean text;
} NestParam;

/* Must lead to one reply, now or later. */
typedef void (*NestHandler)(NestExchange *exchange);

struct NestRoute {
    const char *method;
    const char *pattern; /* "/v1/vms/{vm}/nested"; a part in braces is {vm} or {id} */
    NestRight right;
    NestHandler handler;
    const NestRecord *body; /* NULL where the request has none */
    NestParam params[NEST_PARAMS_MAX]; /* ends with a row without name */
    gboolean large; /* the body may be as large as large_max */
    gboolean
        raw; /* the body is any bytes, up to raw_max, and the handler takes them as they come */
};

extern const NestRoute nest_routes[];
extern const guint nest_n_routes;

/* Finds the route of a path as sent. HEAD finds that of GET. NO_SUCH_PATH, or METHOD_NOT_ALLOWED,
 * which sets *ret_allow (g_free) to the methods of the path. */
const NestRoute *nest_router_find(
    const char *method, const char *path, char **ret_allow, GError **error);

/* TRUE if a request with this head may bring a large body, where right is the caller's. */
gboolean nest_router_takes_large(const NestHead *head, NestRight right);

/* The same for a body that is taken as it comes. */
gboolean nest_router_takes_raw(const NestHead *head, NestRight right);

/* Fills vm, id, params and texts from path and query by exchange->route. */
gboolean nest_router_read(NestExchange *exchange, GError **error);

/* Everything from the path to the reply: finds the route, checks the right, reads parameters and
 * body, calls the handler. body is only read during the call. */
void nest_router_run(NestExchange *exchange, const char *body, gsize length);
