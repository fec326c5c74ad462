/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"
#include <string.h>

#define LINE_MAX_BYTES (1024 * 1024)
#define CHUNK (64 * 1024)

typedef struct {
    NestClientLine func;
    gpointer user_data;
    GString *buffer; /* received, not yet taken apart */
    gboolean ended;
} Reader;

static gboolean take_lines(Reader *reader, GError **error)
{
    const char *start = reader->buffer->str, *end;
    gsize left = reader->buffer->len;
    while (!reader->ended && (end = memchr(start, '\n', left)) != NULL) {
        gsize length = (gsize)(end - start);
        g_autofree char *line = g_strndup(start, length);
        if (length > 0 && !reader->func(line, &reader->ended, reader->user_data, error))
            return FALSE;
        left -= length + 1;
        start = end + 1;
    }
    if (left > LINE_MAX_BYTES) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "a line of the answer is too large");
        return FALSE;
    }
    g_string_erase(reader->buffer, 0, start - reader->buffer->str);
    return TRUE;
}

static gboolean read_stream(
    Reader *reader, GInputStream *stream, GCancellable *cancellable, GError **error)
{
    g_autofree char *chunk = g_malloc(CHUNK);
    while (!reader->ended) {
        g_autoptr(GError) cause = NULL;
        gssize n = g_input_stream_read(stream, chunk, CHUNK, cancellable, &cause);
        if (g_cancellable_is_cancelled(cancellable)) {
            nest_set_error(error, NEST_ERROR_ABORTED, NULL, "it was aborted");
            return FALSE;
        }
        if (n <= 0) {
            nest_set_error(error, NEST_ERROR_UNREACHABLE,
                "see whether it runs: systemctl status nestd",
                "the connection to nestd ended before the answer did");
            return FALSE;
        }
        g_string_append_len(reader->buffer, chunk, n);
        if (!take_lines(reader, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean refused(NestClient *client, SoupMessage *message, GInputStream *stream,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    if (nest_client_read_text(client, message, stream, cancellable, error) &&
        nest_client_parse(client, &json, error))
        nest_client_problem(json, soup_message_get_status(message), error);
    return FALSE;
}

gboolean nest_client_request_lines(NestClient *client, SoupMessage *message, NestClientLine func,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
    g_autoptr(GString) buffer = g_string_new(NULL);
    g_autoptr(GInputStream) stream = nest_client_send(client, message, cancellable, error);
    Reader reader = {func, user_data, buffer, FALSE};
    if (stream == NULL)
        return FALSE;
    if (soup_message_get_status(message) != SOUP_STATUS_OK)
        return refused(client, message, stream, cancellable, error);
    return read_stream(&reader, stream, cancellable, error);
}
