/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-event-hub.h"
#include "nest-codec.h"
#include "nest-connection.h"
#include <string.h>

#define PAGE 256 /* events read from the core at once */

struct NestEventHub {
    NestHttp *http;
    NestCore *core;
    guint watch;
    guint pull; /* idle source, set while there may be new events */
    guint heartbeat; /* set while there are streams */
    gint64 last; /* id of the newest event that was written */
    GPtrArray *streams;
};

typedef struct {
    NestEventHub *hub;
    NestConnection *connection;
    gint64 last;
    gboolean live; /* has all events up to hub->last */
} Stream;

static char *event_text(const NestEvent *event)
{
    g_autofree char *data = nest_codec_to_text(&nest_event_record, event);
    return g_strdup_printf("id: %" G_GINT64_FORMAT "\nevent: %s\ndata: %s\n\n", event->id,
        event->kind != NULL ? event->kind : "event", data);
}

/* A client that does not read must not fill the daemon's memory. FALSE: stream is gone. */
static gboolean write_stream(Stream *stream, const char *text)
{
    NestHttp *http = stream->hub->http;
    NestConnection *connection = stream->connection;
    if (!nest_connection_write(connection, text, strlen(text)))
        return FALSE;
    if (nest_connection_unsent(connection) <= nest_http_limits(http)->backlog_max)
        return TRUE;
    if (nest_http_may_log(http, NEST_LOG_SLOW))
        g_message("a client of uid %u did not read its events and is cut off",
            (guint)nest_connection_uid(connection));
    nest_connection_close(connection);
    return FALSE;
}

static gboolean on_heartbeat(gpointer data)
{
    NestEventHub *hub = data;
    for (guint i = hub->streams->len; i > 0; i--)
        write_stream(hub->streams->pdata[i - 1], ":\n\n");
    return G_SOURCE_CONTINUE;
}

static void on_closed(gpointer data)
{
    Stream *stream = data;
    NestEventHub *hub = stream->hub;
    g_ptr_array_remove_fast(hub->streams, stream);
    g_free(stream);
    if (hub->streams->len == 0)
        g_clear_handle_id(&hub->heartbeat, g_source_remove);
}

/* One page of what a stream has missed. */
static void catch_up(gpointer data)
{
    Stream *stream = data;
    NestEventHub *hub = stream->hub;
    if (stream->live)
        return;
    g_autoptr(GPtrArray) events = nest_core_events(hub->core, stream->last, PAGE, NULL);
    if (events == NULL) {
        nest_connection_close(stream->connection);
        return;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < events->len; i++) {
        const NestEvent *event = events->pdata[i];
        g_autofree char *one = event_text(event);
        g_string_append(text, one);
        stream->last = event->id;
    }
    stream->live = events->len == 0 || stream->last >= hub->last;
    if (!stream->live)
        nest_connection_more(stream->connection);
    if (text->len > 0)
        write_stream(stream, text->str);
}

static void spread(NestEventHub *hub, const NestEvent *event)
{
    g_autofree char *text = event_text(event);
    for (guint i = hub->streams->len; i > 0; i--) {
        Stream *stream = hub->streams->pdata[i - 1];
        if (!stream->live || stream->last >= event->id)
            continue;
        stream->last = event->id;
        write_stream(stream, text);
    }
    hub->last = event->id;
}

static gboolean on_pull(gpointer data)
{
    NestEventHub *hub = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) events = nest_core_events(hub->core, hub->last, PAGE, &error);
    if (events == NULL && nest_http_may_log(hub->http, NEST_LOG_EVENTS))
        g_warning("new events can't be read: %s", error->message);
    for (guint i = 0; events != NULL && i < events->len; i++)
        spread(hub, events->pdata[i]);
    if (events != NULL && events->len == PAGE)
        return G_SOURCE_CONTINUE;
    hub->pull = 0;
    return G_SOURCE_REMOVE;
}

static void on_events(gpointer data)
{
    NestEventHub *hub = data;
    if (hub->pull == 0)
        hub->pull = g_idle_add_full(G_PRIORITY_DEFAULT, on_pull, hub, NULL);
}

NestEventHub *nest_event_hub_new(NestHttp *http)
{
    NestEventHub *hub = g_new0(NestEventHub, 1);
    hub->http = http;
    hub->core = nest_http_core(http);
    hub->last = nest_core_last_event(hub->core);
    hub->streams = g_ptr_array_new();
    hub->watch = nest_core_watch_events(hub->core, on_events, hub);
    return hub;
}

void nest_event_hub_free(NestEventHub *hub)
{
    nest_core_unwatch_events(hub->core, hub->watch);
    g_clear_handle_id(&hub->pull, g_source_remove);
    g_clear_handle_id(&hub->heartbeat, g_source_remove);
    g_ptr_array_unref(hub->streams);
    g_free(hub);
}

void nest_event_hub_join(NestEventHub *hub, NestExchange *exchange, gint64 after)
{
    Stream *stream = g_new0(Stream, 1);
    stream->hub = hub;
    stream->connection = exchange->connection;
    gint64 newest = nest_core_last_event(hub->core);
    stream->last = after < 0 ? newest : MIN(after, newest);
    stream->live = stream->last >= hub->last;
    g_ptr_array_add(hub->streams, stream);
    if (hub->heartbeat == 0)
        hub->heartbeat = g_timeout_add(nest_http_limits(hub->http)->heartbeat, on_heartbeat, hub);
    const NestStreamHooks hooks = {catch_up, on_closed, stream};
    nest_connection_stream(exchange->connection, "text/event-stream", &hooks);
    if (write_stream(stream, "retry: 1000\n\n") && !stream->live)
        nest_connection_more(stream->connection);
}
