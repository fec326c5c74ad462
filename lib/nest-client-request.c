/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"
#include "nest-client-array.h"
#include <string.h>

/* From the first byte of an answer to its last. */
#define ANSWER_SECONDS 120
#define CHUNK (64 * 1024)

SoupMessage *nest_client_message(
    const char *method, const char *path, const NestRecord *body_record, gconstpointer body)
{
    g_autofree char *uri = g_strconcat("http://localhost", path, NULL);
    SoupMessage *message = soup_message_new(method, uri);
    SoupMessageFlags flags = SOUP_MESSAGE_NO_REDIRECT;
    /* libsoup repeats a PUT or DELETE on its own when a kept connection breaks: not wanted. */
    if (strcmp(method, "GET") != 0)
        flags |= SOUP_MESSAGE_NEW_CONNECTION;
    soup_message_set_flags(message, flags);
    soup_message_headers_append(
        soup_message_get_request_headers(message), "Accept", "application/json");
    if (body_record != NULL) {
        char *text = nest_codec_to_text(body_record, body);
        g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(text, strlen(text), free, text);
        soup_message_set_request_body_from_bytes(message, "application/json", bytes);
    }
    return message;
}

static void transport_error(NestClient *client, const GError *cause, GError **error)
{
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "the request was cancelled");
    else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        nest_set_error(error, NEST_ERROR_FORBIDDEN,
            "add yourself to group nestd and log in again: sudo usermod -aG nestd $USER",
            "you have no permission to talk to nestd on %s", client->socket);
    else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        nest_set_error(error, NEST_ERROR_TIMEOUT, "see what it does: journalctl -u nestd",
            "nestd did not answer within %u seconds", soup_session_get_timeout(client->session));
    else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
        g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        nest_set_error(error, NEST_ERROR_UNREACHABLE,
            "is nestd running? systemctl start nestd; or give its socket with --socket",
            "no nestd answers on %s: %s", client->socket, cause->message);
    else
        nest_set_error(error, NEST_ERROR_UNREACHABLE,
            "see whether it runs and what it has begun: systemctl status nestd; nestctl "
            "operations",
            "the connection to nestd ended before it answered (%s)", cause->message);
}

GInputStream *nest_client_send(
    NestClient *client, SoupMessage *message, GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) cause = NULL;
    GInputStream *stream = soup_session_send(client->session, message, cancellable, &cause);
    if (stream == NULL)
        transport_error(client, cause, error);
    return stream;
}

static gboolean read_body(
    NestClient *client, GInputStream *stream, GCancellable *cancellable, GError **error)
{
    g_autofree char *chunk = g_malloc(CHUNK);
    gint64 deadline = g_get_monotonic_time() + ANSWER_SECONDS * G_USEC_PER_SEC;
    for (;;) {
        g_autoptr(GError) cause = NULL;
        gssize n = g_input_stream_read(stream, chunk, CHUNK, cancellable, &cause);
        if (n < 0) {
            transport_error(client, cause, error);
            return FALSE;
        }
        if (n == 0)
            return TRUE;
        if (client->text->len + n > NEST_CLIENT_MAX_BYTES) {
            nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL,
                "the daemon's answer is larger than %u MiB", NEST_CLIENT_MAX_BYTES >> 20);
            return FALSE;
        }
        if (g_get_monotonic_time() > deadline) {
            nest_set_error(error, NEST_ERROR_TIMEOUT, "see what it does: journalctl -u nestd",
                "the daemon's answer did not end within %d seconds", ANSWER_SECONDS);
            return FALSE;
        }
        g_string_append_len(client->text, chunk, n);
    }
}

static gboolean is_json(SoupMessage *message)
{
    const char *type =
        soup_message_headers_get_content_type(soup_message_get_response_headers(message), NULL);
    return type != NULL &&
        (g_ascii_strcasecmp(type, "application/json") == 0 ||
            g_ascii_strcasecmp(type, "application/problem+json") == 0);
}

/* An answer whose text is no use. */
static gboolean refuse_answer(NestClient *client, SoupMessage *message, GError **error)
{
    guint status = soup_message_get_status(message);
    if (status >= 500)
        nest_set_error(error, NEST_ERROR_INTERNAL, "see why: journalctl -u nestd",
            "nestd failed without saying why (HTTP status %u)", status);
    else
        nest_set_error(error, NEST_ERROR_UNREACHABLE, "is the socket the right one?",
            "what answers on %s does not speak like nestd (HTTP status %u, no JSON)",
            client->socket, status);
    return FALSE;
}

static void not_understood(const GError *cause, GError **error)
{
    nest_set_error(error, NEST_ERROR_INTERNAL,
        "are nestctl and nestd of the same version? nestctl version",
        "the daemon's answer can't be understood: %s", cause->message);
}

gboolean nest_client_read_text(NestClient *client, SoupMessage *message, GInputStream *stream,
    GCancellable *cancellable, GError **error)
{
    gboolean success = SOUP_STATUS_IS_SUCCESSFUL(soup_message_get_status(message));
    g_string_truncate(client->text, 0);
    if (!read_body(client, stream, cancellable, error))
        return FALSE;
    if (client->text->len == 0 ? !success : !is_json(message))
        return refuse_answer(client, message, error);
    return TRUE;
}

gboolean nest_client_parse(NestClient *client, json_t **ret_json, GError **error)
{
    g_autoptr(GError) cause = NULL;
    json_t *json = NULL;
    if (client->text->len > 0) {
        json = nest_codec_parse(client->text->str, client->text->len, &cause);
        if (json == NULL) {
            not_understood(cause, error);
            return FALSE;
        }
    }
    *ret_json = json;
    return TRUE;
}

gboolean nest_client_exchange_text(
    NestClient *client, SoupMessage *message, GCancellable *cancellable, GError **error)
{
    g_string_truncate(client->text, 0);
    g_autoptr(GInputStream) stream = nest_client_send(client, message, cancellable, error);
    if (stream == NULL)
        return FALSE;
    return nest_client_read_text(client, message, stream, cancellable, error);
}

gboolean nest_client_exchange(NestClient *client, SoupMessage *message, json_t **ret_json,
    GCancellable *cancellable, GError **error)
{
    return nest_client_exchange_text(client, message, cancellable, error) &&
        nest_client_parse(client, ret_json, error);
}

static const char *string_member(json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

void nest_client_problem(json_t *json, guint status, GError **error)
{
    const char *kind = string_member(json, "kind"), *detail = string_member(json, "detail");
    if (detail == NULL)
        detail = string_member(json, "title");
    if (detail == NULL)
        nest_set_error(error, nest_error_from_kind(kind), string_member(json, "next"),
            "nestd refused with HTTP status %u", status);
    else
        nest_set_error(
            error, nest_error_from_kind(kind), string_member(json, "next"), "%s", detail);
    if (error != NULL)
        nest_error_set_check(*error, string_member(json, "check"));
}

static gboolean parse_success(
    NestClient *client, SoupMessage *message, json_t **ret_json, GError **error)
{
    g_autoptr(json_t) json = NULL;
    guint status = soup_message_get_status(message);
    if (!nest_client_parse(client, &json, error))
        return FALSE;
    if (!SOUP_STATUS_IS_SUCCESSFUL(status)) {
        nest_client_problem(json, status, error);
        return FALSE;
    }
    *ret_json = g_steal_pointer(&json);
    return TRUE;
}

gboolean nest_client_request(NestClient *client, SoupMessage *message, json_t **ret_json,
    GCancellable *cancellable, GError **error)
{
    return nest_client_exchange_text(client, message, cancellable, error) &&
        parse_success(client, message, ret_json, error);
}

gpointer nest_client_decode(const NestRecord *record, json_t *json, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gpointer value = nest_codec_decode(record, json, NEST_CODEC_LENIENT, &cause);
    if (value == NULL)
        not_understood(cause, error);
    return value;
}

gpointer nest_client_decode_line(const NestRecord *record, const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gpointer value = nest_codec_from_text(record, text, -1, NEST_CODEC_LENIENT, &cause);
    if (value == NULL)
        not_understood(cause, error);
    return value;
}

GPtrArray *nest_client_decode_array(
    const NestRecord *record, json_t *json, const char *member, GError **error)
{
    json_t *array = json_object_get(json, member), *item;
    g_autoptr(GPtrArray) values = nest_client_array_new(record);
    size_t i;
    if (!json_is_array(array)) {
        g_autoptr(GError) cause = NULL;
        nest_set_error(&cause, NEST_ERROR_INTERNAL, NULL, "\"%s\" is missing", member);
        not_understood(cause, error);
        return NULL;
    }
    json_array_foreach(array, i, item)
    {
        gpointer value = nest_client_decode(record, item, error);
        if (value == NULL)
            return NULL;
        g_ptr_array_add(values, value);
    }
    return g_steal_pointer(&values);
}

GPtrArray *nest_client_request_array(NestClient *client, SoupMessage *message,
    const NestRecord *record, const char *member, GCancellable *cancellable, GError **error)
{
    g_autoptr(json_t) json = NULL;
    if (!nest_client_exchange_text(client, message, cancellable, error))
        return NULL;
    GPtrArray *values = SOUP_STATUS_IS_SUCCESSFUL(soup_message_get_status(message))
        ? nest_client_array_cut(record, client->text->str, client->text->len, member)
        : NULL;
    if (values != NULL)
        return values;
    if (!parse_success(client, message, &json, error))
        return NULL;
    return nest_client_decode_array(record, json, member, error);
}

char *nest_client_vm_path(const char *vm, const char *rest, GError **error)
{
    if (*vm == '\0' || strcmp(vm, ".") == 0 || strcmp(vm, "..") == 0 ||
        !g_utf8_validate(vm, -1, NULL)) {
        nest_set_error(error, NEST_ERROR_VM_NOT_FOUND, "see which there are: nestctl list",
            "no virtual machine can have this name");
        return NULL;
    }
    g_autofree char *escaped = g_uri_escape_string(vm, NULL, FALSE);
    return g_strconcat("/v1/vms/", escaped, rest, NULL);
}
