/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

static void on_judged(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestAction) action = nest_core_guard_finish(exchange->core, result, &error);
    if (action != NULL)
        nest_reply_record(exchange, 200, &nest_action_record, action);
    else
        nest_reply_error(exchange, error);
}

void nest_http_guard_judge(NestExchange *exchange)
{
    const NestGuardWish *wish = exchange->body;
    if (strlen(wish->xml) <= NEST_XML_MAX) {
        nest_core_guard_async(exchange->core, wish, on_judged, nest_exchange_ref(exchange));
        return;
    }
    g_autoptr(GError) error = NULL;
    nest_set_error(&error, NEST_ERROR_TOO_LARGE, NULL,
        "a definition of more than %d MiB is not looked at", NEST_XML_MAX / (1024 * 1024));
    nest_reply_error(exchange, error);
}
