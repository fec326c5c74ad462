/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-head.h"
#include "nest-error.h"
#include <stddef.h>
#include <string.h>

#define METHOD_MAX 16
#define FIELDS_MAX 100

typedef struct {
    NestHead head;
    guint fields;
    gboolean host;
    gboolean length;
    gsize max_body;
} Reading;

typedef struct {
    const char *name;
    gboolean (*read)(Reading *reading, const char *value, GError **error);
    size_t keep; /* where read is NULL: the member that takes the value, at most once */
} FieldRow;

void nest_head_clear(NestHead *head)
{
    g_free(head->method);
    g_free(head->path);
    g_free(head->query);
    g_free(head->content_type);
    g_free(head->if_match);
    g_free(head->if_none_match);
    g_free(head->last_event_id);
    memset(head, 0, sizeof *head);
}

static gboolean refuse(GError **error, const char *reason)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "%s", reason);
    return FALSE;
}

gboolean nest_head_find(
    const char *data, gsize length, gsize *io_scanned, gsize *ret_length, GError **error)
{
    gsize i = *io_scanned;
    for (; i < length; i++) {
        guchar c = data[i];
        if (c == '\n') {
            if (i == 0 || data[i - 1] != '\r')
                return refuse(error, "a line of the request ends without CR");
            if (i >= 3 && data[i - 2] == '\n') {
                *io_scanned = 0;
                *ret_length = i + 1;
                return TRUE;
            }
        } else if (i > 0 && data[i - 1] == '\r') {
            return refuse(error, "the request has a CR inside a line");
        } else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
            return refuse(error, "the request has a control character in its head");
        }
    }
    *io_scanned = i;
    *ret_length = 0;
    return TRUE;
}

static gboolean is_token(const char *text, gsize length)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && memchr(others, text[i], sizeof others - 1) == NULL)
            return FALSE;
    return length > 0;
}

static gboolean read_host(Reading *reading, const char *value, GError **error)
{
    if (reading->host)
        return refuse(error, "the request has two Host headers");
    reading->host = TRUE;
    return TRUE;
}

static gboolean read_length(Reading *reading, const char *value, GError **error)
{
    if (reading->length)
        return refuse(error, "the request has two Content-Length headers");
    if (*value == '\0' || strspn(value, G_CSET_DIGITS) != strlen(value))
        return refuse(error, "Content-Length is not a number");
    guint64 number = 0;
    if (!g_ascii_string_to_unsigned(value, 10, 0, reading->max_body, &number, NULL)) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL,
            "the body of a request may have at most %" G_GSIZE_FORMAT " bytes", reading->max_body);
        return FALSE;
    }
    reading->length = TRUE;
    reading->head.length = number;
    return TRUE;
}

static gboolean read_transfer_encoding(Reading *reading, const char *value, GError **error)
{
    nest_set_error(error, NEST_ERROR_LENGTH_REQUIRED, "send the body with a Content-Length",
        "a request with Transfer-Encoding is not accepted");
    return FALSE;
}

static gboolean read_content_encoding(Reading *reading, const char *value, GError **error)
{
    if (g_ascii_strcasecmp(value, "identity") == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_UNSUPPORTED_MEDIA, "send the body as plain JSON",
        "a request with Content-Encoding is not accepted");
    return FALSE;
}

static gboolean read_connection(Reading *reading, const char *value, GError **error)
{
    g_auto(GStrv) words = g_strsplit(value, ",", 16);
    for (guint i = 0; words[i] != NULL; i++)
        if (g_ascii_strcasecmp(g_strstrip(words[i]), "close") == 0)
            reading->head.close = TRUE;
    return TRUE;
}

static gboolean read_expect(Reading *reading, const char *value, GError **error)
{
    if (g_ascii_strcasecmp(value, "100-continue") != 0)
        return refuse(error, "what Expect asks for is not known");
    reading->head.expect_continue = TRUE;
    return TRUE;
}

static const FieldRow rows[] = {
    {"Host", read_host, 0},
    {"Content-Length", read_length, 0},
    {"Transfer-Encoding", read_transfer_encoding, 0},
    {"Content-Encoding", read_content_encoding, 0},
    {"Connection", read_connection, 0},
    {"Expect", read_expect, 0},
    {"Content-Type", NULL, offsetof(NestHead, content_type)},
    {"If-Match", NULL, offsetof(NestHead, if_match)},
    {"If-None-Match", NULL, offsetof(NestHead, if_none_match)},
    {"Last-Event-ID", NULL, offsetof(NestHead, last_event_id)},
};

static gboolean read_row(Reading *reading, const FieldRow *row, char *value, GError **error)
{
    if (row->read != NULL)
        return row->read(reading, value, error);
    char **slot = (gpointer)((char *)&reading->head + row->keep);
    if (*slot != NULL) {
        nest_set_error(
            error, NEST_ERROR_INVALID_REQUEST, NULL, "the request has two %s headers", row->name);
        return FALSE;
    }
    *slot = g_strdup(value);
    return TRUE;
}

static gboolean read_field(Reading *reading, const char *line, gsize length, GError **error)
{
    if (++reading->fields > FIELDS_MAX)
        return refuse(error, "the request has too many headers");
    const char *colon = memchr(line, ':', length);
    if (colon == NULL || !is_token(line, colon - line))
        return refuse(error, "a header of the request has no valid name");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize name = strlen(rows[i].name);
        if (name != (gsize)(colon - line) || g_ascii_strncasecmp(rows[i].name, line, name) != 0)
            continue;
        g_autofree char *value = g_strndup(colon + 1, line + length - colon - 1);
        return read_row(reading, &rows[i], g_strstrip(value), error);
    }
    return TRUE;
}

static gboolean read_target(Reading *reading, const char *target, gsize length, GError **error)
{
    if (length == 0 || target[0] != '/')
        return refuse(error, "the target of the request must be a path");
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isgraph(target[i]) || target[i] == '#')
            return refuse(error, "the target of the request has an invalid character");
    const char *mark = memchr(target, '?', length);
    gsize path = mark != NULL ? (gsize)(mark - target) : length;
    reading->head.path = g_strndup(target, path);
    reading->head.query = mark != NULL ? g_strndup(mark + 1, length - path - 1) : NULL;
    return TRUE;
}

static gboolean read_request_line(Reading *reading, const char *line, gsize length, GError **error)
{
    const char *first = memchr(line, ' ', length);
    const char *last = g_strrstr_len(line, length, " ");
    if (first == NULL || first == last)
        return refuse(error, "the first line is not that of an HTTP/1.1 request");
    gsize method = first - line, version = line + length - last - 1;
    if (!is_token(line, method) || method > METHOD_MAX)
        return refuse(error, "the method of the request is not valid");
    if (version != 8 || strncmp(last + 1, "HTTP/1.", 7) != 0 || (last[8] != '0' && last[8] != '1'))
        return refuse(error, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    reading->head.method = g_strndup(line, method);
    reading->head.http10 = last[8] == '0';
    reading->head.close = reading->head.http10;
    return read_target(reading, first + 1, last - first - 1, error);
}

static gboolean read_lines(Reading *reading, const char *data, gsize length, GError **error)
{
    const char *end = data + length - 2; /* the blank line */
    const char *line = data;
    for (gboolean first = TRUE; line < end; first = FALSE) {
        const char *cr = memchr(line, '\r', end - line);
        gboolean ok = first ? read_request_line(reading, line, cr - line, error)
                            : read_field(reading, line, cr - line, error);
        if (!ok)
            return FALSE;
        line = cr + 2;
    }
    return TRUE;
}

gboolean nest_head_parse(
    const char *data, gsize length, gsize max_body, NestHead *ret_head, GError **error)
{
    Reading reading = {.max_body = max_body};
    gboolean ok = read_lines(&reading, data, length, error);
    if (ok && !reading.host && !reading.head.http10)
        ok = refuse(error, "the request has no Host header");
    if (!ok) {
        nest_head_clear(&reading.head);
        return FALSE;
    }
    *ret_head = reading.head;
    return TRUE;
}
