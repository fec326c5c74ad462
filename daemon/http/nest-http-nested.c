/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

static const char *const own[] = {"nesting", "extension", "supports", "checks"};

/* The part of a VM that is about nesting, from its JSON. */
static json_t *nested_json(const char *text, GError **error)
{
    g_autoptr(json_t) vm = nest_codec_parse(text, -1, error);
    if (vm == NULL)
        return NULL;
    const char *nesting = json_string_value(json_object_get(vm, "nesting"));
    json_t *nested = json_object();
    json_object_set_new(nested, "enabled",
        json_boolean(g_strcmp0(nesting, nest_nick(nest_nesting_nicks, NEST_NESTING_ON)) == 0));
    for (guint i = 0; i < G_N_ELEMENTS(own); i++)
        json_object_set(nested, own[i], json_object_get(vm, own[i]));
    return nested;
}

void nest_http_nested_get(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    NestVmEntry entry;
    json_t *nested = NULL;
    if (nest_core_vm(exchange->core, exchange->vm, &entry, &error))
        nested = nested_json(entry.text, &error);
    if (nested != NULL)
        nest_reply_json(exchange, 200, nested);
    else
        nest_reply_error(exchange, error);
}

void nest_http_nested_set(NestExchange *exchange)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = NEST_JOB_NESTED;
    request->vm = g_strdup(exchange->vm);
    request->nested = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}

static gboolean is_hex(const char *text)
{
    return text != NULL && *text != '\0' && strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

void nest_http_nested_reply_plan(NestExchange *exchange, GAsyncResult *result)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestPlan) plan = nest_core_plan_finish(exchange->core, result, &error);
    if (plan == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    if (is_hex(plan->hash)) {
        g_autofree char *etag = g_strdup_printf("\"%s\"", plan->hash);
        nest_exchange_header(exchange, "ETag", etag);
    }
    nest_reply_record(exchange, 200, &nest_plan_record, plan);
}

static void on_plan(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    nest_http_nested_reply_plan(exchange, result);
}

void nest_http_nested_plan(NestExchange *exchange)
{
    nest_core_plan_async(
        exchange->core, exchange->vm, exchange->body, on_plan, nest_exchange_ref(exchange));
}
