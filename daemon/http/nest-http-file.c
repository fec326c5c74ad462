/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-connection.h"
#include "nest-error.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

/* Files put into a VM and got out of it: streams, as slow as the slower side. */

typedef struct {
    NestExchange *exchange; /* of a put until its end; of a get until its stream has begun */
    NestConnection *connection; /* the stream of a get, NULL before and after it */
    NestTransfer *transfer;
    gboolean raw; /* only the file's bytes: it is whole where the stream ends as it should */
} Session;

/* ---- put ---- */

static void on_piece(GBytes *piece, gpointer data)
{
    const Session *session = data;
    nest_core_transfer_piece(session->transfer, piece);
}

static void on_gone(gpointer data)
{
    const Session *session = data;
    nest_core_transfer_abort(session->transfer);
}

static void on_more(gpointer data)
{
    const Session *session = data;
    if (session->exchange->connection != NULL)
        nest_connection_take(session->exchange->connection);
}

static void on_put(const NestFile *file, gboolean begun, const GError *error, gpointer data)
{
    g_autofree Session *session = data;
    if (file != NULL)
        nest_reply_record(session->exchange, 200, &nest_file_record, file);
    else
        nest_reply_error(session->exchange, error);
    nest_exchange_unref(session->exchange);
}

void nest_http_file_put(NestExchange *exchange)
{
    static const NestTransferHooks hooks = {.more = on_more, .ended = on_put};
    Session *session = g_new0(Session, 1);
    const NestUploadHooks upload = {on_piece, on_gone, session};
    session->exchange = nest_exchange_ref(exchange);
    session->transfer = nest_core_put_file(exchange->core, &exchange->caller, exchange->vm,
        exchange->texts[0], exchange->texts[1], exchange->head.length, &hooks, session);
    nest_connection_upload(exchange->connection, &upload);
}

/* ---- get ---- */

static void on_drained(gpointer data)
{
    const Session *session = data;
    nest_core_transfer_more(session->transfer);
}

static void on_closed(gpointer data)
{
    Session *session = data;
    session->connection = NULL;
    nest_core_transfer_abort(session->transfer);
}

/* FALSE: the client has gone. */
static gboolean begin(Session *session)
{
    const NestStreamHooks hooks = {on_drained, on_closed, session};
    if (session->exchange == NULL)
        return session->connection != NULL;
    session->connection = session->exchange->connection;
    if (session->connection != NULL)
        nest_connection_stream(session->connection,
            session->raw ? "application/octet-stream" : "application/x-ndjson", &hooks);
    g_clear_pointer(&session->exchange, nest_exchange_unref);
    return session->connection != NULL;
}

static gboolean write_line(Session *session, const NestFilePart *part)
{
    g_autofree char *text = nest_codec_to_text(&nest_file_part_record, part);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return nest_connection_write(session->connection, line, strlen(line));
}

/* Nothing keeps a stream of lines awake; one of the file's bytes has no room for that. */
static gboolean write_piece(Session *session, GBytes *piece, guint64 total)
{
    gsize length = 0;
    const void *data = g_bytes_get_data(piece, &length);
    if (length == 0)
        return session->raw || nest_connection_write(session->connection, "\n", 1);
    if (session->raw)
        return nest_connection_write(session->connection, data, length);
    g_autofree char *text = g_base64_encode(data, length);
    const NestFilePart part = {.data = text, .total = total};
    return write_line(session, &part);
}

static void on_got_piece(GBytes *piece, guint64 total, gpointer data)
{
    Session *session = data;
    if (!begin(session))
        nest_core_transfer_abort(session->transfer);
    else if (write_piece(session, piece, total))
        nest_connection_more(session->connection);
}

static void end(Session *session, const NestFile *file, const GError *error)
{
    g_autoptr(NestProblem) problem = error != NULL ? nest_problem_from_error(error) : NULL;
    const NestFilePart last = {.ended = TRUE, .file = (NestFile *)file, .problem = problem};
    if (!begin(session))
        return;
    if (session->raw && error != NULL)
        nest_connection_close(session->connection); /* calls on_closed */
    else if (session->raw || write_line(session, &last))
        nest_connection_end(session->connection);
}

static void on_got(const NestFile *file, gboolean begun, const GError *error, gpointer data)
{
    g_autofree Session *session = data;
    if (error != NULL && session->exchange != NULL && !begun)
        nest_reply_error(session->exchange, error);
    else
        end(session, file, error);
    g_clear_pointer(&session->exchange, nest_exchange_unref);
}

void nest_http_file_get(NestExchange *exchange)
{
    static const NestTransferHooks hooks = {.piece = on_got_piece, .ended = on_got};
    g_autoptr(GError) error = NULL;
    if (strcmp(exchange->head.method, "HEAD") == 0) {
        nest_exchange_header(exchange, "Allow", "GET, PUT");
        nest_set_error(&error, NEST_ERROR_METHOD_NOT_ALLOWED, NULL, "use GET: it takes reading");
        nest_reply_error(exchange, error);
        return;
    }
    Session *session = g_new0(Session, 1);
    session->exchange = nest_exchange_ref(exchange);
    session->raw = exchange->params[1] != 0;
    session->transfer = nest_core_get_file(
        exchange->core, &exchange->caller, exchange->vm, exchange->texts[0], &hooks, session);
}
