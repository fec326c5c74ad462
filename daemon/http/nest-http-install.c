/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-connection.h"
#include "nest-handlers.h"

/* A hypervisor in a guest. The guest is looked at first, and takes its time. */

static void on_plan(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    nest_http_nested_reply_plan(exchange, result);
}

void nest_http_install_plan(NestExchange *exchange)
{
    nest_connection_extend(exchange->connection, NEST_HTTP_LOOK_MS);
    nest_core_plan_install_async(
        exchange->core, exchange->vm, exchange->body, on_plan, nest_exchange_ref(exchange));
}

void nest_http_install_set(NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    nest_connection_extend(exchange->connection, NEST_HTTP_LOOK_MS);
    request->kind = NEST_JOB_INSTALL;
    request->vm = g_strdup(exchange->vm);
    request->install = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}
