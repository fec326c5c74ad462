/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-exchange.h"
#include "nest-router.h"
#include <string.h>

NestExchange *nest_exchange_new(
    NestHttp *http, NestConnection *connection, const NestCaller *caller, NestHead *head)
{
    NestExchange *exchange = g_rc_box_new0(NestExchange);
    exchange->core = nest_http_core(http);
    exchange->http = http;
    exchange->connection = connection;
    exchange->caller = *caller;
    exchange->head = *head;
    memset(head, 0, sizeof *head);
    return exchange;
}

NestExchange *nest_exchange_ref(NestExchange *exchange)
{
    return g_rc_box_acquire(exchange);
}

static void clear(gpointer data)
{
    NestExchange *exchange = data;
    nest_head_clear(&exchange->head);
    if (exchange->body != NULL)
        nest_record_free(exchange->route->body, exchange->body);
    g_free(exchange->vm);
    g_clear_pointer(&exchange->large, nest_large_unref);
    g_free(exchange->item);
    for (guint i = 0; i < NEST_PARAMS_MAX; i++)
        g_free(exchange->texts[i]);
    if (exchange->headers != NULL)
        g_string_free(exchange->headers, TRUE);
}

void nest_exchange_unref(NestExchange *exchange)
{
    g_rc_box_release_full(exchange, clear);
}

void nest_exchange_header(NestExchange *exchange, const char *name, const char *value)
{
    if (exchange->headers == NULL)
        exchange->headers = g_string_new(NULL);
    g_string_append_printf(exchange->headers, "%s: %s\r\n", name, value);
}
