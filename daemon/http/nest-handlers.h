/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-exchange.h"

/* The handlers of the routes; one file per resource, nest-http-RESOURCE.c. Each reads what the
 * router has put into the exchange, asks the core and replies: nothing more. */
void nest_http_about_get(NestExchange *exchange);
void nest_http_host_get(NestExchange *exchange);
void nest_http_host_proofs(NestExchange *exchange);
void nest_http_host_prove(NestExchange *exchange);
void nest_http_checks_list(NestExchange *exchange);
void nest_http_checks_host(NestExchange *exchange);
void nest_http_checks_vm(NestExchange *exchange);
void nest_http_status_get(NestExchange *exchange);
void nest_http_vms_list(NestExchange *exchange);
void nest_http_vms_create(NestExchange *exchange);
void nest_http_vms_get(NestExchange *exchange);
void nest_http_vms_delete(NestExchange *exchange);
void nest_http_proof_get(NestExchange *exchange);
void nest_http_proof_run(NestExchange *exchange);
void nest_http_vms_set_state(NestExchange *exchange);
void nest_http_vms_set_memory(NestExchange *exchange);
void nest_http_vms_restart(NestExchange *exchange);
void nest_http_vms_migrate(NestExchange *exchange);
void nest_http_vms_set_trust(NestExchange *exchange);
void nest_http_checkpoints_list(NestExchange *exchange);
void nest_http_checkpoints_create(NestExchange *exchange);
void nest_http_checkpoints_apply(NestExchange *exchange);
void nest_http_checkpoints_delete(NestExchange *exchange);
void nest_http_guard_judge(NestExchange *exchange);
void nest_http_nested_get(NestExchange *exchange);
void nest_http_nested_set(NestExchange *exchange);
void nest_http_plan_xml(NestExchange *exchange);
void nest_http_nested_plan(NestExchange *exchange);
void nest_http_undo_history(NestExchange *exchange);
void nest_http_undo_set(NestExchange *exchange);
void nest_http_undo_plan(NestExchange *exchange);
void nest_http_repair_plan(NestExchange *exchange);
void nest_http_repair_plan_undo(NestExchange *exchange);
void nest_http_repair_set(NestExchange *exchange);
void nest_http_repair_undo(NestExchange *exchange);
void nest_http_operations_list(NestExchange *exchange);
void nest_http_operations_get(NestExchange *exchange);
void nest_http_operations_abort(NestExchange *exchange);
void nest_http_guest_exec(NestExchange *exchange);
void nest_http_file_get(NestExchange *exchange);
void nest_http_file_put(NestExchange *exchange);
void nest_http_install_plan(NestExchange *exchange);
void nest_http_install_set(NestExchange *exchange);
void nest_http_guest_get(NestExchange *exchange);
void nest_http_verification_get(NestExchange *exchange);
void nest_http_verification_run(NestExchange *exchange);
void nest_http_inner_list(NestExchange *exchange);
void nest_http_inner_create(NestExchange *exchange);
void nest_http_inner_delete(NestExchange *exchange);
void nest_http_inner_get_state(NestExchange *exchange);
void nest_http_inner_set_state(NestExchange *exchange);
void nest_http_inner_console(NestExchange *exchange);
void nest_http_tree_get(NestExchange *exchange);
void nest_http_events_get(NestExchange *exchange);
void nest_http_openapi_get(NestExchange *exchange);

/* How long a reply may take for which a guest is looked at; nestctl waits a little longer. */
#define NEST_HTTP_LOOK_MS 55000

/* Replies with the plan of which a request to the core has ended. */
void nest_http_nested_reply_plan(NestExchange *exchange, GAsyncResult *result);

/* Submits the job of a change and replies 202, 200 or the problem; takes request. */
void nest_http_vms_submit(NestExchange *exchange, NestRequest *request);
