/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-exchange.h"
#include <jansson.h>

/* Replies. Each ends the exchange; a second one, or one after the client has gone, is dropped. */

/* text (taken) is JSON. */
void nest_reply_text(NestExchange *exchange, guint status, char *text);
void nest_reply_json(NestExchange *exchange, guint status, json_t *json); /* json is taken */
void nest_reply_record(
    NestExchange *exchange, guint status, const NestRecord *record, gconstpointer value);

/* application/problem+json (RFC 9457), with the status of the error. */
void nest_reply_error(NestExchange *exchange, const GError *error);

/* The same with status, and with a plan as member "plan" (nullable). */
void nest_reply_problem(
    NestExchange *exchange, guint status, const GError *error, const NestPlan *plan);

/* 202 with the operation and where to follow it. */
void nest_reply_accepted(NestExchange *exchange, const NestOperation *operation);

/* Sets the ETag header; TRUE if the client has that already, and 304 was replied. */
gboolean nest_reply_not_modified(NestExchange *exchange, const char *etag);

/* The problem as text. */
char *nest_reply_problem_text(guint status, const GError *error, const NestPlan *plan);

/* "Not Found" */
const char *nest_reply_reason(guint status);
