/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-handlers.h"
#include "nest-http-private.h"
#include "nest-reply.h"

/* The VMs inside a VM. */

static void on_list(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestInnerVms) vms = nest_core_inner_finish(exchange->core, result, &error);
    if (vms != NULL)
        nest_reply_record(exchange, 200, &nest_inner_vms_record, vms);
    else
        nest_reply_error(exchange, error);
}

void nest_http_inner_list(NestExchange *exchange)
{
    nest_core_inner_async(exchange->core, exchange->vm, on_list, nest_exchange_ref(exchange));
}

static void on_one(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestInnerVm) vm = nest_core_inner_vm_finish(exchange->core, result, &error);
    if (vm != NULL)
        nest_reply_record(exchange, 200, &nest_inner_vm_record, vm);
    else
        nest_reply_error(exchange, error);
}

void nest_http_inner_get_state(NestExchange *exchange)
{
    nest_core_inner_vm_async(exchange->core, exchange->vm, exchange->item, exchange->texts[0],
        on_one, nest_exchange_ref(exchange));
}

static void on_console(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestInnerConsole) console =
        nest_core_inner_console_finish(exchange->core, result, &error);
    if (console != NULL)
        nest_reply_record(exchange, 200, &nest_inner_console_record, console);
    else
        nest_reply_error(exchange, error);
}

void nest_http_inner_console(NestExchange *exchange)
{
    nest_core_inner_console_async(exchange->core, exchange->vm, exchange->item, exchange->texts[0],
        on_console, nest_exchange_ref(exchange));
}

static NestRequest *new_request(const NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_INNER;
    request->vm = g_strdup(exchange->vm);
    request->item = g_strdup(exchange->item);
    return request;
}

void nest_http_inner_create(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange);
    request->inner = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}

void nest_http_inner_set_state(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange);
    request->inner_state = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}

void nest_http_inner_delete(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange);
    request->by = g_strdup(exchange->texts[0]);
    nest_http_vms_submit(exchange, request);
}
