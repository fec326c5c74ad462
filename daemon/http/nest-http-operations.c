/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-connection.h"
#include "nest-error.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

void nest_http_operations_list(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) operations =
        nest_core_operations(exchange->core, exchange->params[1], exchange->params[0], &error);
    if (operations == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    json_t *list = nest_codec_encode_array(&nest_operation_record, operations);
    nest_reply_json(exchange, 200, json_pack("{s:o}", "operations", list));
}

static void reply_operation(NestExchange *exchange, NestOperation *taken, const GError *error)
{
    g_autoptr(NestOperation) operation = taken;
    if (operation != NULL)
        nest_reply_record(exchange, 200, &nest_operation_record, operation);
    else
        nest_reply_error(exchange, error);
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    NestOperation *operation = nest_core_operation_wait_finish(exchange->core, result, &error);
    reply_operation(exchange, operation, error);
}

void nest_http_operations_get(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    guint wait_ms = exchange->params[0] * 1000;
    if (wait_ms == 0) {
        NestOperation *operation = nest_core_operation(exchange->core, exchange->id, &error);
        reply_operation(exchange, operation, error);
        return;
    }
    nest_connection_extend(
        exchange->connection, wait_ms + nest_http_limits(exchange->http)->reply_timeout);
    nest_core_operation_wait_async(
        exchange->core, exchange->id, wait_ms, on_ended, nest_exchange_ref(exchange));
}

/* Who may operate may take back what they themselves began by operating; all else takes the right
 * to manage. A kind that is not known here counts as managing. */
static gboolean may_abort(const NestCaller *caller, const NestOperation *operation)
{
    static const char *const operating[] = {
        "start", "shutdown", "stop", "reboot", "reset", "save", "pause", "resume", NULL};
    if (caller->right >= NEST_RIGHT_MANAGE)
        return TRUE;
    return operation->uid == caller->uid && operation->kind != NULL &&
        g_strv_contains(operating, operation->kind);
}

static gboolean abort_operation(
    NestExchange *exchange, const NestOperation *operation, GError **error)
{
    if (!may_abort(&exchange->caller, operation)) {
        nest_set_error(error, NEST_ERROR_FORBIDDEN, "ask who began it, or an administrator",
            "operation %" G_GINT64_FORMAT
            " can only be aborted by who began it, or with the right \"%s\"",
            operation->id, nest_right_name(NEST_RIGHT_MANAGE));
        return FALSE;
    }
    return nest_core_abort(exchange->core, operation->id, error);
}

void nest_http_operations_abort(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestOperation) operation = nest_core_operation(exchange->core, exchange->id, &error);
    if (operation == NULL || !abort_operation(exchange, operation, &error)) {
        nest_reply_error(exchange, error);
        return;
    }
    g_autoptr(NestOperation) now = nest_core_operation(exchange->core, exchange->id, NULL);
    nest_reply_accepted(exchange, now != NULL ? now : operation);
}
