/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-error.h"
#include "nest-head.h"
#include "nest-router.h"
#include <string.h>

#define BODY_MAX 1048576

static void check_refusal(const GError *error)
{
    guint status = nest_error_http_status(nest_error_code(error));
    g_assert(status == 400 || status == 411 || status == 413 || status == 415);
    g_assert(g_utf8_validate(error->message, -1, NULL));
}

static void append(GString *text, const char *name, const char *value)
{
    if (value != NULL)
        g_string_append_printf(text, "%s: %s\r\n", name, value);
}

/* The head that says the same in the plainest way. */
static char *plain(const NestHead *head)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text,
        "%s %s%s%s HTTP/1.%d\r\nHost: a\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n", head->method,
        head->path, head->query != NULL ? "?" : "", head->query != NULL ? head->query : "",
        head->http10 ? 0 : 1, head->length);
    append(text, "Connection", head->close ? "close" : NULL);
    append(text, "Expect", head->expect_continue ? "100-continue" : NULL);
    append(text, "Content-Type", head->content_type);
    append(text, "If-Match", head->if_match);
    append(text, "If-None-Match", head->if_none_match);
    append(text, "Last-Event-ID", head->last_event_id);
    g_string_append(text, "\r\n");
    return g_string_free(text, FALSE);
}

/* What was read reads the same again: a head has one meaning. */
static void check_again(const NestHead *head)
{
    g_autofree char *text = plain(head);
    gsize scanned = 0, length = 0;
    NestHead again = {0};
    g_assert(nest_head_find(text, strlen(text), &scanned, &length, NULL));
    g_assert(length == strlen(text));
    g_assert(nest_head_parse(text, length, BODY_MAX, &again, NULL));
    g_autofree char *same = plain(&again);
    g_assert_cmpstr(text, ==, same);
    nest_head_clear(&again);
}

/* At most one route; its parameters are read or refused, and a name stays a name. */
static void check_route(const NestHead *head)
{
    g_autofree char *allow = NULL;
    g_autoptr(GError) error = NULL;
    NestExchange exchange = {.head = *head};
    exchange.route = nest_router_find(head->method, head->path, &allow, &error);
    g_assert((exchange.route == NULL) == (error != NULL));
    if (exchange.route == NULL)
        return;
    g_assert(exchange.route->right > NEST_RIGHT_NONE);
    g_assert(nest_router_read(&exchange, &error) == (error == NULL));
    if (exchange.vm != NULL)
        g_assert(strchr(exchange.vm, '/') == NULL && g_utf8_validate(exchange.vm, -1, NULL) &&
            strcmp(exchange.vm, "..") != 0 && strlen(exchange.vm) <= 255);
    g_free(exchange.vm);
}

/* The end of the head is the same, however the bytes come. */
static void check_pieces(const char *text, gsize size, gsize expected)
{
    gsize scanned = 0, length = 0, cut = size / 2;
    if (!nest_head_find(text, cut, &scanned, &length, NULL))
        return;
    if (length == 0)
        g_assert(nest_head_find(text, size, &scanned, &length, NULL));
    g_assert(length == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_memdup2(data, size);
    g_autoptr(GError) error = NULL;
    gsize scanned = 0, length = 0;
    NestHead head = {0};
    if (!nest_head_find(text, size, &scanned, &length, &error)) {
        check_refusal(error);
        return 0;
    }
    check_pieces(text, size, length);
    if (length == 0)
        return 0;
    if (!nest_head_parse(text, length, BODY_MAX, &head, &error)) {
        check_refusal(error);
        return 0;
    }
    g_assert(head.path[0] == '/' && head.length <= BODY_MAX);
    check_again(&head);
    check_route(&head);
    nest_head_clear(&head);
    return 0;
}
