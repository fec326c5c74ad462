/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-reply.h"
#include "nest-codec.h"
#include "nest-connection.h"
#include "nest-error.h"
#include <string.h>

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"
#define LOGGED_PATH 512

const char *nest_reply_reason(guint status)
{
    static const struct {
        guint status;
        const char *reason;
    } rows[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {507, "Insufficient Storage"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].status == status)
            return rows[i].reason;
    return "Status";
}

/* One line per change that was asked for, whatever came of it. Never a body. */
static void log_change(const NestExchange *exchange, guint status)
{
    const NestHead *head = &exchange->head;
    if (strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0)
        return;
    g_autofree char *caller =
        g_strdup_printf("uid=%u pid=%d", (guint)exchange->caller.uid, (int)exchange->caller.pid);
    g_autofree char *path = g_strndup(head->path, LOGGED_PATH);
    g_autofree char *code = g_strdup_printf("%u", status);
    g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "NEST_CALLER", caller, "NEST_METHOD",
        head->method, "NEST_PATH", path, "NEST_STATUS", code, "MESSAGE", "%s %s by %s: %s",
        head->method, path, caller, code);
}

static void finish(NestExchange *exchange, guint status, const char *type, GBytes *body)
{
    if (exchange->connection == NULL)
        return;
    log_change(exchange, status);
    nest_connection_reply(exchange->connection, status, type,
        exchange->headers != NULL ? exchange->headers->str : NULL, body);
}

static void finish_text(NestExchange *exchange, guint status, const char *type, char *text)
{
    gsize length = strlen(text);
    g_autoptr(GBytes) body = g_bytes_new_take(text, length);
    finish(exchange, status, type, body);
}

void nest_reply_text(NestExchange *exchange, guint status, char *text)
{
    finish_text(exchange, status, JSON_TYPE, text);
}

static char *dump(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    char *copy = g_strdup(text != NULL ? text : "null");
    free(text);
    json_decref(json);
    return copy;
}

void nest_reply_json(NestExchange *exchange, guint status, json_t *json)
{
    nest_reply_text(exchange, status, dump(json));
}

void nest_reply_record(
    NestExchange *exchange, guint status, const NestRecord *record, gconstpointer value)
{
    nest_reply_text(exchange, status, nest_codec_to_text(record, value));
}

char *nest_reply_problem_text(guint status, const GError *error, const NestPlan *plan)
{
    g_autoptr(NestProblem) problem = nest_problem_from_error(error);
    json_t *json = nest_codec_encode(&nest_problem_record, problem);
    g_autofree char *type = g_strconcat("urn:nestd:problem:", problem->kind, NULL);
    json_object_set_new(json, "type", json_string(type));
    json_object_set_new(json, "status", json_integer(status));
    if (plan != NULL)
        json_object_set_new(json, "plan", nest_codec_encode(&nest_plan_record, plan));
    return dump(json);
}

void nest_reply_problem(
    NestExchange *exchange, guint status, const GError *error, const NestPlan *plan)
{
    finish_text(exchange, status, PROBLEM_TYPE, nest_reply_problem_text(status, error, plan));
}

void nest_reply_error(NestExchange *exchange, const GError *error)
{
    nest_reply_problem(exchange, nest_error_http_status(nest_error_code(error)), error, NULL);
}

void nest_reply_accepted(NestExchange *exchange, const NestOperation *operation)
{
    g_autofree char *location = g_strdup_printf("/v1/operations/%" G_GINT64_FORMAT, operation->id);
    nest_exchange_header(exchange, "Location", location);
    nest_reply_record(exchange, 202, &nest_operation_record, operation);
}

static gboolean matches(const char *list, const char *etag)
{
    if (list == NULL)
        return FALSE;
    g_auto(GStrv) tags = g_strsplit(list, ",", 64);
    for (guint i = 0; tags[i] != NULL; i++) {
        const char *tag = g_strstrip(tags[i]);
        if (g_str_has_prefix(tag, "W/"))
            tag += 2;
        if (strcmp(tag, "*") == 0 || strcmp(tag, etag) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean nest_reply_not_modified(NestExchange *exchange, const char *etag)
{
    nest_exchange_header(exchange, "ETag", etag);
    if (!matches(exchange->head.if_none_match, etag))
        return FALSE;
    finish(exchange, 304, NULL, NULL);
    return TRUE;
}
