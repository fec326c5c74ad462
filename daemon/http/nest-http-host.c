/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
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

static void reply_proofs(NestExchange *exchange, const GPtrArray *proofs)
{
    json_t *list = nest_codec_encode_array(&nest_proof_record, proofs);
    nest_reply_json(exchange, 200, json_pack("{s:o}", "proofs", list));
}

static void on_proofs(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHost) host = nest_core_host_finish(exchange->core, result, &error);
    if (host == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    reply_proofs(exchange, host->proofs);
}

void nest_http_host_proofs(NestExchange *exchange)
{
    if (exchange->params[0] != 0) {
        g_autoptr(GPtrArray) proofs = nest_core_proof_history(exchange->core);
        reply_proofs(exchange, proofs);
        return;
    }
    nest_core_host_async(exchange->core, on_proofs, nest_exchange_ref(exchange));
}

static void on_proof(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestProof) proof = nest_core_prove_finish(exchange->core, result, &error);
    if (proof != NULL)
        nest_reply_record(exchange, 200, &nest_proof_record, proof);
    else
        nest_reply_error(exchange, error);
}

void nest_http_host_prove(NestExchange *exchange)
{
    const NestProofWish *wish = exchange->body;
    nest_exchange_begin_trial(exchange, "the proof");
    nest_core_prove_async(exchange->core, wish->accel, on_proof, nest_exchange_ref(exchange));
}
