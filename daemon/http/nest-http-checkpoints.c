/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-handlers.h"
#include "nest-reply.h"

static void on_listed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = nest_core_checkpoints_finish(exchange->core, result, &error);
    if (found == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    json_t *list = nest_codec_encode_array(&nest_checkpoint_record, found);
    nest_reply_json(exchange, 200, json_pack("{s:o}", "checkpoints", list));
}

void nest_http_checkpoints_list(NestExchange *exchange)
{
    nest_core_checkpoints_async(
        exchange->core, exchange->vm, on_listed, nest_exchange_ref(exchange));
}

static NestRequest *new_request(NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_CHECKPOINT;
    request->vm = g_strdup(exchange->vm);
    request->item = g_strdup(exchange->item);
    return request;
}

void nest_http_checkpoints_create(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange);
    request->checkpoint = g_steal_pointer(&exchange->body);
    request->force = request->checkpoint->force;
    request->reason = g_strdup(request->checkpoint->reason);
    nest_http_vms_submit(exchange, request);
}

void nest_http_checkpoints_apply(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange);
    request->apply = g_steal_pointer(&exchange->body);
    request->force = request->apply->force;
    request->reason = g_strdup(request->apply->reason);
    nest_http_vms_submit(exchange, request);
}

void nest_http_checkpoints_delete(NestExchange *exchange)
{
    nest_http_vms_submit(exchange, new_request(exchange));
}
