/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-handlers.h"
#include "nest-reply.h"

static void on_guest(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestGuest) guest = nest_core_guest_finish(exchange->core, result, &error);
    if (guest != NULL)
        nest_reply_record(exchange, 200, &nest_guest_record, guest);
    else
        nest_reply_error(exchange, error);
}

void nest_http_guest_get(NestExchange *exchange)
{
    nest_core_guest_async(exchange->core, exchange->vm, on_guest, nest_exchange_ref(exchange));
}
