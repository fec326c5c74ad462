/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-handlers.h"
#include "nest-reply.h"

static void on_history(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) revisions = nest_core_history_finish(exchange->core, result, &error);
    if (revisions == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    json_t *list = nest_codec_encode_array(&nest_revision_record, revisions);
    nest_reply_json(exchange, 200, json_pack("{s:o}", "revisions", list));
}

void nest_http_undo_history(NestExchange *exchange)
{
    nest_core_history_async(exchange->core, exchange->vm, exchange->params[1], exchange->params[0],
        on_history, nest_exchange_ref(exchange));
}

void nest_http_undo_set(NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_UNDO;
    request->vm = g_strdup(exchange->vm);
    request->undo = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}

static void on_plan(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    nest_http_nested_reply_plan(exchange, result);
}

void nest_http_undo_plan(NestExchange *exchange)
{
    nest_core_plan_undo_async(
        exchange->core, exchange->vm, exchange->body, on_plan, nest_exchange_ref(exchange));
}
