/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-handlers.h"
#include "nest-reply.h"

/* The same form as of the host: a list, of the one that there is. */
void nest_http_proof_get(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestProof) proof = NULL;
    if (!nest_core_proof(exchange->core, exchange->vm, &proof, &error)) {
        nest_reply_error(exchange, error);
        return;
    }
    g_autoptr(GPtrArray) proofs = g_ptr_array_new();
    if (proof != NULL)
        g_ptr_array_add(proofs, proof);
    json_t *list = nest_codec_encode_array(&nest_proof_record, proofs);
    nest_reply_json(exchange, 200, json_pack("{s:o}", "proofs", list));
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

void nest_http_proof_run(NestExchange *exchange)
{
    nest_exchange_begin_trial(exchange, "the proof");
    nest_core_prove_vm_async(exchange->core, exchange->vm, on_proof, nest_exchange_ref(exchange));
}
