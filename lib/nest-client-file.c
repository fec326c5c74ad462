/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"

/* The guest may take its time, and a nestd that dies hangs up: silence alone says nothing. */
static SoupMessage *begin(
    NestClient *client, const char *method, const char *vm, const char *query, GError **error)
{
    g_autofree char *rest = g_strconcat("/file?", query, NULL);
    g_autofree char *path = nest_client_vm_path(vm, rest, error);
    if (path == NULL)
        return NULL;
    SoupMessage *message = nest_client_message(method, path, NULL, NULL);
    soup_message_add_flags(message, SOUP_MESSAGE_NEW_CONNECTION);
    soup_session_set_timeout(client->session, 0);
    return message;
}

/* ---- put ---- */

typedef struct {
    NestTransferFunc func;
    gpointer user_data;
    guint64 done, total;
} Progress;

static void on_written(SoupMessage *message, guint size, gpointer user_data)
{
    Progress *progress = user_data;
    progress->done += size;
    progress->func(progress->done, progress->total, progress->user_data);
}

NestFile *nest_client_put_file(NestClient *client, const char *vm, const char *path,
    const char *mode, GInputStream *data, guint64 size, NestTransferFunc func, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    g_autofree char *escaped = g_uri_escape_string(path, "/", FALSE);
    g_autofree char *query =
        g_strconcat("path=", escaped, mode != NULL ? "&mode=" : NULL, mode, NULL);
    g_autoptr(SoupMessage) message = begin(client, "PUT", vm, query, error);
    Progress progress = {func, user_data, 0, size};
    if (message == NULL)
        return NULL;
    soup_message_set_request_body(message, "application/octet-stream", data, (gssize)size);
    soup_message_headers_set_expectations(
        soup_message_get_request_headers(message), SOUP_EXPECTATION_CONTINUE);
    if (func != NULL)
        g_signal_connect(message, "wrote-body-data", G_CALLBACK(on_written), &progress);
    gboolean good = nest_client_request(client, message, &json, cancellable, error);
    soup_session_set_timeout(client->session, NEST_CLIENT_SILENCE);
    return good ? nest_client_decode(&nest_file_record, json, error) : NULL;
}

/* ---- get ---- */

typedef struct {
    NestPieceFunc func;
    gpointer user_data;
    NestFilePart *last;
} Reader;

static gboolean take_line(const char *text, gboolean *ret_end, gpointer user_data, GError **error)
{
    Reader *reader = user_data;
    gsize length = 0;
    g_autoptr(NestFilePart) part = nest_client_decode_line(&nest_file_part_record, text, error);
    if (part == NULL)
        return FALSE;
    g_autofree guchar *data = part->data != NULL ? g_base64_decode(part->data, &length) : NULL;
    if (length > 0 && !reader->func(data, length, part->total, reader->user_data, error))
        return FALSE;
    *ret_end = part->ended;
    if (part->ended)
        reader->last = g_steal_pointer(&part);
    return TRUE;
}

NestFile *nest_client_get_file(NestClient *client, const char *vm, const char *path,
    NestPieceFunc func, gpointer user_data, GCancellable *cancellable, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(path, "/", FALSE);
    g_autofree char *query = g_strconcat("path=", escaped, NULL);
    g_autoptr(SoupMessage) message = begin(client, "GET", vm, query, error);
    Reader reader = {func, user_data, NULL};
    if (message == NULL)
        return NULL;
    gboolean good =
        nest_client_request_lines(client, message, take_line, &reader, cancellable, error);
    g_autoptr(NestFilePart) last = reader.last;
    soup_session_set_timeout(client->session, NEST_CLIENT_SILENCE);
    if (!good)
        return NULL;
    if (last->file == NULL)
        nest_problem_to_error(last->problem, error);
    return g_steal_pointer(&last->file);
}
