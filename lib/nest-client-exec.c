/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"
#include <string.h>

#define LINE_MAX_BYTES (1024 * 1024)

typedef struct {
    NestExecFunc func;
    gpointer user_data;
    GString *buffer; /* received, not yet taken apart */
    NestExecOutput *last;
} Reader;

static gboolean take_line(Reader *reader, const char *line, gsize length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (length == 0)
        return TRUE;
    g_autofree char *text = g_strndup(line, length);
    g_autoptr(NestExecOutput) output = nest_codec_from_text(
        &nest_exec_output_record, text, (gssize)length, NEST_CODEC_LENIENT, &cause);
    if (output == NULL) {
        nest_set_error(error, NEST_ERROR_INTERNAL,
            "are nestctl and nestd of the same version? nestctl version",
            "a line of output can't be understood: %s", cause->message);
        return FALSE;
    }
    reader->func(output, text, reader->user_data);
    if (output->ended)
        reader->last = g_steal_pointer(&output);
    return TRUE;
}

static gboolean take_lines(Reader *reader, GError **error)
{
    const char *start = reader->buffer->str, *end;
    gsize left = reader->buffer->len;
    while (reader->last == NULL && (end = memchr(start, '\n', left)) != NULL) {
        if (!take_line(reader, start, (gsize)(end - start), error))
            return FALSE;
        left -= (gsize)(end - start) + 1;
        start = end + 1;
    }
    if (left > LINE_MAX_BYTES) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "a line of output is too large");
        return FALSE;
    }
    g_string_erase(reader->buffer, 0, start - reader->buffer->str);
    return TRUE;
}

static gboolean read_stream(
    Reader *reader, GInputStream *stream, GCancellable *cancellable, GError **error)
{
    g_autofree char *chunk = g_malloc(64 * 1024);
    while (reader->last == NULL) {
        g_autoptr(GError) cause = NULL;
        gssize n = g_input_stream_read(stream, chunk, 64 * 1024, cancellable, &cause);
        if (g_cancellable_is_cancelled(cancellable)) {
            nest_set_error(error, NEST_ERROR_ABORTED, NULL, "the command was aborted");
            return FALSE;
        }
        if (n <= 0) {
            nest_set_error(error, NEST_ERROR_UNREACHABLE,
                "see whether it runs: systemctl status nestd",
                "the connection to nestd ended before the command did");
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

gboolean nest_client_exec(NestClient *client, const char *vm, const NestExecWish *wish,
    NestExecFunc func, gpointer user_data, gint64 *ret_status, guint *ret_signal,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(GString) buffer = g_string_new(NULL);
    g_autofree char *path = nest_client_vm_path(vm, "/exec", error);
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", path, &nest_exec_wish_record, wish);
    g_autoptr(GInputStream) stream = nest_client_send(client, message, cancellable, error);
    Reader reader = {func, user_data, buffer, NULL};
    if (stream == NULL)
        return FALSE;
    if (soup_message_get_status(message) != SOUP_STATUS_OK)
        return refused(client, message, stream, cancellable, error);
    if (!read_stream(&reader, stream, cancellable, error))
        return FALSE;
    g_autoptr(NestExecOutput) last = reader.last;
    *ret_status = last->status;
    *ret_signal = last->signal;
    if (last->problem != NULL)
        nest_problem_to_error(last->problem, error);
    return last->problem == NULL;
}
