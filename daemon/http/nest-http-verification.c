/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-handlers.h"
#include "nest-reply.h"

/* The same form as of proofs: a list, of the one that there is. */
void nest_http_verification_get(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestVerification) last = NULL;
    if (!nest_core_verification(exchange->core, exchange->vm, &last, &error)) {
        nest_reply_error(exchange, error);
        return;
    }
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    if (last != NULL)
        g_ptr_array_add(list, last);
    nest_reply_json(exchange, 200,
        json_pack(
            "{s:o}", "verifications", nest_codec_encode_array(&nest_verification_record, list)));
}

static void on_verified(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestVerification) verification =
        nest_core_verify_finish(exchange->core, result, &error);
    if (verification != NULL)
        nest_reply_record(exchange, 200, &nest_verification_record, verification);
    else
        nest_reply_error(exchange, error);
}

void nest_http_verification_run(NestExchange *exchange)
{
    nest_exchange_begin_trial(exchange, "the verification");
    nest_core_verify_async(exchange->core, exchange->vm, on_verified, nest_exchange_ref(exchange));
}
