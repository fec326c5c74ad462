/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-catalogue.h"
#include "nest-codec.h"
#include "nest-connection.h"
#include "nest-handlers.h"
#include "nest-reply.h"

void nest_http_checks_list(NestExchange *exchange)
{
    g_autoptr(GPtrArray) catalogue = nest_check_catalogue();
    json_t *json = json_object();
    json_object_set_new(
        json, "checks", nest_codec_encode_array(&nest_check_info_record, catalogue));
    nest_reply_json(exchange, 200, json);
}

static void on_host(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestHost) host = nest_core_host_finish(exchange->core, result, &error);
    if (host == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    g_autoptr(NestCheckReport) report =
        nest_check_report(NULL, host->name, host->supports, host->checks, exchange->params[0] != 0);
    nest_reply_record(exchange, 200, &nest_check_report_record, report);
}

void nest_http_checks_host(NestExchange *exchange)
{
    nest_core_host_async(exchange->core, on_host, nest_exchange_ref(exchange));
}

static void on_vm(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestCheckReport) report = nest_core_check_vm_finish(exchange->core, result, &error);
    if (report == NULL)
        nest_reply_error(exchange, error);
    else
        nest_reply_record(exchange, 200, &nest_check_report_record, report);
}

/* A guest is asked by a script that it runs, which takes the right to have it do something. */
void nest_http_checks_vm(NestExchange *exchange)
{
    gboolean guest = exchange->params[1] != 0 && exchange->caller.right >= NEST_RIGHT_OPERATE;
    if (guest)
        nest_connection_extend(exchange->connection, NEST_HTTP_LOOK_MS);
    nest_core_check_vm_async(exchange->core, exchange->vm, exchange->params[0] != 0, guest, on_vm,
        nest_exchange_ref(exchange));
}
