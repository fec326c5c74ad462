/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"
#include <string.h>

#define AWAY_SECONDS 30
#define RETRY_MS 250
#define LINE_MAX_BYTES (1024 * 1024)

typedef struct {
    NestClient *client;
    gint64 last; /* the last event told; -1: none */
    NestEventFunc func;
    gpointer user_data;
    GCancellable *cancellable;
    GString *buffer; /* received, not yet taken apart */
    gboolean enough; /* func wants no more */
    gboolean heard; /* something came over this connection */
} Reader;

/* ---- what is there already ---- */

static gboolean tell_page(Reader *reader, json_t *json, guint *ret_count, GError **error)
{
    g_autoptr(GPtrArray) events =
        nest_client_decode_array(&nest_event_record, json, "events", error);
    if (events == NULL)
        return FALSE;
    for (guint i = 0; i < events->len && !reader->enough; i++) {
        const NestEvent *event = g_ptr_array_index(events, i);
        json_t *item = json_array_get(json_object_get(json, "events"), i);
        char *text = json_dumps(item, JSON_COMPACT);
        reader->last = MAX(reader->last, event->id);
        reader->enough = !reader->func(event, text, reader->user_data);
        free(text);
    }
    *ret_count = events->len;
    return TRUE;
}

static gboolean read_pages(Reader *reader, GError **error)
{
    guint count = 1;
    while (count > 0 && !reader->enough) {
        g_autofree char *path =
            g_strdup_printf("/v1/events?follow=0&after=%" G_GINT64_FORMAT, MAX(reader->last, 0));
        gint64 before = reader->last;
        g_autoptr(SoupMessage) message = nest_client_message("GET", path, NULL, NULL);
        g_autoptr(json_t) json = NULL;
        if (!nest_client_request(reader->client, message, &json, reader->cancellable, error) ||
            !tell_page(reader, json, &count, error))
            return FALSE;
        if (reader->last == before)
            return TRUE;
    }
    return TRUE;
}

/* ---- what comes: server-sent events ---- */

static gboolean tell_data(Reader *reader, const char *data, gsize length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = g_strndup(data, length);
    g_autoptr(NestEvent) event =
        nest_codec_from_text(&nest_event_record, text, length, NEST_CODEC_LENIENT, &cause);
    if (event == NULL) {
        nest_set_error(
            error, NEST_ERROR_INTERNAL, NULL, "an event can't be understood: %s", cause->message);
        return FALSE;
    }
    if (event->id <= reader->last)
        return TRUE;
    reader->last = event->id;
    reader->enough = !reader->func(event, text, reader->user_data);
    return TRUE;
}

/* Takes whole lines from the buffer. nestd writes each event's data on one line, so a line is all
 * there is to put together; id and event repeat what the data says. */
static gboolean take_lines(Reader *reader, GError **error)
{
    const char *start = reader->buffer->str, *end;
    gsize left = reader->buffer->len;
    while (!reader->enough && (end = memchr(start, '\n', left)) != NULL) {
        gsize length = end - start;
        left -= length + 1;
        if (length > 0 && start[length - 1] == '\r')
            length--;
        if (length > 5 && strncmp(start, "data:", 5) == 0 &&
            !tell_data(reader, start + 5, length - 5, error))
            return FALSE;
        start = end + 1;
    }
    if (left > LINE_MAX_BYTES) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "an event is larger than 1 MiB");
        return FALSE;
    }
    g_string_erase(reader->buffer, 0, start - reader->buffer->str);
    return TRUE;
}

/* Reads until the connection ends, which is no error. */
static gboolean read_stream(Reader *reader, GInputStream *stream, GError **error)
{
    char chunk[16 * 1024];
    while (!reader->enough) {
        g_autoptr(GError) cause = NULL;
        gssize n = g_input_stream_read(stream, chunk, sizeof chunk, reader->cancellable, &cause);
        if (n <= 0)
            return TRUE;
        reader->heard = TRUE;
        g_string_append_len(reader->buffer, chunk, n);
        if (!take_lines(reader, error))
            return FALSE;
    }
    return TRUE;
}

static SoupMessage *subscribe(const Reader *reader)
{
    SoupMessage *message = nest_client_message("GET", "/v1/events", NULL, NULL);
    SoupMessageHeaders *headers = soup_message_get_request_headers(message);
    soup_message_set_flags(message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
    soup_message_headers_replace(headers, "Accept", "text/event-stream");
    if (reader->last >= 0) {
        g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, reader->last);
        soup_message_headers_replace(headers, "Last-Event-ID", id);
    }
    return message;
}

static gboolean read_connection(Reader *reader, GError **error)
{
    g_autoptr(SoupMessage) message = subscribe(reader);
    g_autoptr(GInputStream) stream =
        nest_client_send(reader->client, message, reader->cancellable, error);
    if (stream == NULL)
        return FALSE;
    const char *type =
        soup_message_headers_get_content_type(soup_message_get_response_headers(message), NULL);
    if (soup_message_get_status(message) == SOUP_STATUS_OK &&
        g_strcmp0(type, "text/event-stream") == 0) {
        g_string_truncate(reader->buffer, 0);
        return read_stream(reader, stream, error);
    }
    g_autoptr(json_t) json = NULL;
    if (!nest_client_read_text(reader->client, message, stream, reader->cancellable, error) ||
        !nest_client_parse(reader->client, &json, error))
        return FALSE;
    nest_client_problem(json, soup_message_get_status(message), error);
    return FALSE;
}

static gboolean read_live(Reader *reader, GError **error)
{
    gint64 heard = g_get_monotonic_time();
    for (;;) {
        g_autoptr(GError) cause = NULL;
        reader->heard = FALSE;
        gboolean ok = read_connection(reader, &cause);
        if (reader->enough || g_cancellable_is_cancelled(reader->cancellable))
            return TRUE;
        gint64 now = g_get_monotonic_time();
        if (ok || reader->heard)
            heard = now;
        gboolean away = g_error_matches(cause, NEST_ERROR, NEST_ERROR_UNREACHABLE);
        if (cause != NULL && (!away || now - heard > AWAY_SECONDS * G_USEC_PER_SEC)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        g_usleep(RETRY_MS * 1000);
    }
}

gboolean nest_client_events(NestClient *client, gint64 after, gboolean follow, NestEventFunc func,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
    g_autoptr(GString) buffer = g_string_new(NULL);
    Reader reader = {client, after, func, user_data, cancellable, buffer, FALSE, FALSE};
    return follow ? read_live(&reader, error) : read_pages(&reader, error);
}
