/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-exchange.h"

/* The handlers of the routes; one file per resource, nest-http-RESOURCE.c. Each reads what the
 * router has put into the exchange, asks the core and replies: nothing more. */
void nest_handle_about(NestExchange *exchange);
void nest_handle_host(NestExchange *exchange);
void nest_handle_status(NestExchange *exchange);
void nest_handle_vms(NestExchange *exchange);
void nest_handle_vm_create(NestExchange *exchange);
void nest_handle_vm(NestExchange *exchange);
void nest_handle_vm_delete(NestExchange *exchange);
void nest_handle_vm_state(NestExchange *exchange);
void nest_handle_nested(NestExchange *exchange);
void nest_handle_nested_set(NestExchange *exchange);
void nest_handle_nested_plan(NestExchange *exchange);
void nest_handle_operations(NestExchange *exchange);
void nest_handle_operation(NestExchange *exchange);
void nest_handle_operation_abort(NestExchange *exchange);
void nest_handle_events(NestExchange *exchange);
void nest_handle_openapi(NestExchange *exchange);

/* Submits the job of a change and replies 202, 200 or the problem; takes request. */
void nest_submit(NestExchange *exchange, NestRequest *request);

/* Events as they come, to every stream. */
NestEventHub *nest_event_hub_new(NestHttp *http);
void nest_event_hub_free(NestEventHub *hub);
