/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-handlers.h"
#include "nest-reply.h"

static void on_host(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHost) host = nest_core_host_finish(exchange->core, result, &error);
    if (host != NULL)
        nest_reply_record(exchange, 200, &nest_host_record, host);
    else
        nest_reply_error(exchange, error);
}

void nest_http_host_get(NestExchange *exchange)
{
    nest_core_host_async(exchange->core, on_host, nest_exchange_ref(exchange));
}
