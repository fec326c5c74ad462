/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-etag.h"
#include "nest-handlers.h"
#include "nest-reply.h"

/* The core's cached texts, put together: nothing is decoded or encoded here. */
void nest_http_vms_list(NestExchange *exchange)
{
    gboolean full = exchange->params[0] != 0;
    g_autoptr(GError) error = NULL;
    const GArray *vms =
        full ? nest_core_vms_whole(exchange->core, &error) : nest_core_vms(exchange->core);
    if (vms == NULL) {
        nest_reply_error(exchange, error);
        return;
    }
    GString *text = g_string_sized_new(64 + vms->len * (full ? 4096 : 320));
    g_string_append(text, "{\"vms\":[");
    for (guint i = 0; i < vms->len; i++) {
        const NestVmEntry *entry = &g_array_index(vms, NestVmEntry, i);
        if (i > 0)
            g_string_append_c(text, ',');
        g_string_append(text, full ? entry->text : entry->summary);
    }
    g_string_append(text, "]}");
    nest_reply_text(exchange, 200, g_string_free(text, FALSE));
}

static void reply_vm(NestExchange *exchange, const NestVmEntry *entry)
{
    g_autofree char *etag = nest_etag_make(entry->revision, entry->text);
    if (!nest_reply_not_modified(exchange, etag))
        nest_reply_text(exchange, 200, g_strdup(entry->text));
}

void nest_http_vms_get(NestExchange *exchange)
{
    g_autoptr(GError) error = NULL;
    NestVmEntry entry;
    if (nest_core_vm(exchange->core, exchange->vm, &entry, &error))
        reply_vm(exchange, &entry);
    else
        nest_reply_error(exchange, error);
}

/* Nothing had to be done: the plan where there is one, else the VM as it is. */
static void reply_unchanged(NestExchange *exchange, const NestPlan *plan)
{
    NestVmEntry entry;
    if (plan != NULL)
        nest_reply_record(exchange, 200, &nest_plan_record, plan);
    else if (exchange->vm != NULL && nest_core_vm(exchange->core, exchange->vm, &entry, NULL))
        nest_reply_text(exchange, 200, g_strdup(entry.text));
    else
        nest_reply_text(exchange, 200, g_strdup("{}"));
}

static void on_submitted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NestExchange) exchange = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestPlan) plan = NULL;
    if (!nest_core_submit_finish(exchange->core, result, &operation, &plan, &error))
        nest_reply_problem(exchange, nest_error_http_status(nest_error_code(error)), error, plan);
    else if (operation != NULL)
        nest_reply_accepted(exchange, operation);
    else
        reply_unchanged(exchange, plan);
}

void nest_http_vms_submit(NestExchange *exchange, NestRequest *taken)
{
    g_autoptr(NestRequest) request = taken;
    g_autoptr(GError) error = NULL;
    if (!nest_etag_if_match(exchange->head.if_match, &request->if_match, &error)) {
        nest_reply_error(exchange, error);
        return;
    }
    nest_core_submit_async(exchange->core, &exchange->caller, g_steal_pointer(&request),
        on_submitted, nest_exchange_ref(exchange));
}

static NestRequest *new_request(NestExchange *exchange, NestJobKind kind)
{
    NestRequest *request = g_new0(NestRequest, 1);
    request->kind = kind;
    request->vm = g_strdup(exchange->vm);
    return request;
}

void nest_http_vms_create(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_CREATE);
    request->spec = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}

void nest_http_vms_delete(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_DELETE);
    request->keep_disks = exchange->params[0] != 0;
    nest_http_vms_submit(exchange, request);
}

void nest_http_vms_set_state(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_STATE);
    request->state = g_steal_pointer(&exchange->body);
    /* Off by force alone is powering off. */
    request->force = request->state->force &&
        (request->state->state != NEST_VM_OFF || request->state->reason != NULL);
    request->reason = g_strdup(request->state->reason);
    nest_http_vms_submit(exchange, request);
}

void nest_http_vms_restart(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_RESTART);
    request->restart = g_steal_pointer(&exchange->body);
    request->force = request->restart->force;
    request->reason = g_strdup(request->restart->reason);
    nest_http_vms_submit(exchange, request);
}

void nest_http_vms_set_memory(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_MEMORY);
    request->memory = g_steal_pointer(&exchange->body);
    request->force = request->memory->force;
    request->reason = g_strdup(request->memory->reason);
    nest_http_vms_submit(exchange, request);
}

void nest_http_vms_migrate(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_MIGRATE);
    request->migration = g_steal_pointer(&exchange->body);
    request->force = request->migration->force;
    request->reason = g_strdup(request->migration->reason);
    nest_http_vms_submit(exchange, request);
}

void nest_http_vms_set_trust(NestExchange *exchange)
{
    NestRequest *request = new_request(exchange, NEST_JOB_TRUST);
    request->trust = g_steal_pointer(&exchange->body);
    nest_http_vms_submit(exchange, request);
}
