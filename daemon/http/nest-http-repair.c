/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-handlers.h"
#include "nest-reply.h"

/* The repair of the host, and its undo. */

static void on_plan(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    nest_http_nested_reply_plan(exchange, result);
}

void nest_http_repair_plan(NestExchange *exchange)
{
    nest_core_repair_plan_async(
        exchange->core, exchange->body, on_plan, nest_exchange_ref(exchange));
}

void nest_http_repair_plan_undo(NestExchange *exchange)
{
    nest_core_repair_plan_undo_async(
        exchange->core, exchange->body, on_plan, nest_exchange_ref(exchange));
}

void nest_http_repair_set(NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_HOST_FIX;
    request->host = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}

void nest_http_repair_undo(NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_HOST_UNDO;
    request->undo = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}
