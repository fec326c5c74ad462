/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-handlers.h"
#include "nest-reply.h"

/* The host, its VMs and theirs. */

static void on_tree(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    char *text = nest_core_tree_finish(exchange->core, result, &error);
    if (text != NULL)
        nest_reply_text(exchange, 200, text);
    else
        nest_reply_error(exchange, error);
}

/* To ask a guest is to run commands in it, which takes the right for that. */
void nest_http_tree_get(NestExchange *exchange)
{
    gboolean inside = exchange->caller.right >= NEST_RIGHT_MANAGE;
    nest_core_tree_async(
        exchange->core, exchange->vm, inside, on_tree, nest_exchange_ref(exchange));
}
