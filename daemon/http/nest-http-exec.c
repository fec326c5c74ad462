/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-connection.h"
#include "nest-handlers.h"
#include "nest-reply.h"
#include <string.h>

/* A command inside a VM: its output is a stream, as slow as who reads it. */

typedef struct {
    NestExchange *exchange; /* NULL once the stream has begun */
    NestConnection *connection; /* the stream, NULL before and after it */
    NestExec *exec;
} Session;

static void on_drained(gpointer data)
{
    const Session *session = data;
    nest_core_exec_more(session->exec);
}

static void on_closed(gpointer data)
{
    Session *session = data;
    session->connection = NULL;
    nest_core_exec_abort(session->exec);
}

/* FALSE: the client has gone. */
static gboolean begin(Session *session)
{
    static const char type[] = "application/x-ndjson";
    if (session->exchange == NULL)
        return session->connection != NULL;
    session->connection = session->exchange->connection;
    if (session->connection != NULL) {
        const NestStreamHooks hooks = {on_drained, on_closed, session};
        nest_connection_stream(session->connection, type, &hooks);
    }
    g_clear_pointer(&session->exchange, nest_exchange_unref);
    return session->connection != NULL;
}

/* FALSE: the client has gone. */
static gboolean write_line(Session *session, const NestExecOutput *output)
{
    g_autofree char *text = nest_codec_to_text(&nest_exec_output_record, output);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return nest_connection_write(session->connection, line, strlen(line));
}

static void on_output(const NestExecOutput *output, gpointer data)
{
    Session *session = data;
    gboolean nothing = output->out == NULL && output->err == NULL;
    if (!begin(session))
        nest_core_exec_abort(session->exec);
    else if (nothing ? nest_connection_write(session->connection, "\n", 1)
                     : write_line(session, output))
        nest_connection_more(session->connection);
}

static void on_ended(const NestExecOutput *last, gboolean begun, const GError *error, gpointer data)
{
    g_autofree Session *session = data;
    if (!begun && error != NULL && session->exchange != NULL)
        nest_reply_error(session->exchange, error);
    else if (begin(session) && write_line(session, last))
        nest_connection_end(session->connection);
    g_clear_pointer(&session->exchange, nest_exchange_unref);
}

void nest_http_guest_exec(NestExchange *exchange)
{
    static const NestExecHooks hooks = {on_output, on_ended};
    Session *session = g_new0(Session, 1);
    session->exchange = nest_exchange_ref(exchange);
    NestExec *exec = nest_core_exec(
        exchange->core, &exchange->caller, exchange->vm, exchange->body, &hooks, session);
    if (exec != NULL)
        session->exec = exec;
}
