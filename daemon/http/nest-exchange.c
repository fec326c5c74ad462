/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-exchange.h"
#include "nest-connection.h"
#include "nest-error.h"
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

static guint trial_ms(const NestExchange *exchange)
{
    return nest_http_limits(exchange->http)->reply_timeout * NEST_TRIAL_TIMES;
}

void nest_exchange_begin_trial(NestExchange *exchange, const char *trial)
{
    exchange->trial = trial;
    nest_connection_extend(exchange->connection, trial_ms(exchange));
}

void nest_exchange_late(const NestExchange *exchange, GError **error)
{
    const char *vm = exchange->vm;
    g_autofree char *shown = vm != NULL ? g_strconcat("show ", vm, NULL) : g_strdup("status");
    g_autofree char *next =
        g_strdup_printf("nestctl %s tells what came of it, once it has ended", shown);
    if (exchange->trial == NULL)
        nest_set_error(error, NEST_ERROR_TIMEOUT,
            "see GET /v1/operations whether a change was begun nevertheless",
            "there was no answer within the configured time");
    else
        nest_set_error(error, NEST_ERROR_TIMEOUT, next,
            "%s has not ended within %u s, and goes on: this host is busy, or it waits for others",
            exchange->trial, trial_ms(exchange) / 1000);
}
