/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-http.h"
#include "nest-admission.h"
#include "nest-connection.h"
#include "nest-event-hub.h"
#include "nest-fd-watch.h"
#include "nest-listen.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BURST 16 /* connections taken before others get a turn */
#define ACCEPT_PAUSE_MS 200 /* where no descriptor is left */

const NestHttpLimits nest_http_default_limits = {
    .head_timeout = 10 * 1000,
    .request_timeout = 30 * 1000,
    .idle_timeout = 60 * 1000,
    .reply_timeout = 0,
    .write_timeout = 60 * 1000,
    .linger_timeout = 2 * 1000,
    .heartbeat = 20 * 1000,
    .head_max = 16 * 1024,
    .body_max = 1024 * 1024,
    /* JSON may take six bytes for a character of two, and two for a new line. */
    .large_max = 3 * NEST_XML_MAX,
    .raw_max = (gsize)64 << 30,
    .upload_timeout = 30 * 1000,
    .backlog_max = 256 * 1024,
};

struct NestHttp {
    NestCore *core;
    const NestConfig *config;
    NestHttpLimits limits;
    NestListen *listen;
    GPtrArray *watches; /* NestFdWatch of each listening socket */
    guint resume; /* source that resumes accepting */
    NestAdmission *admission;
    NestLargePlaces *large;
    GHashTable *connections; /* set of NestConnection */
    guint timer;
    gint64 wakes; /* when the timer fires; 0 where there is none */
    NestEventHub *hub;
    gint64 logged[NEST_N_LOGS];
};

NestCore *nest_http_core(NestHttp *http)
{
    return http->core;
}

const NestConfig *nest_http_config(NestHttp *http)
{
    return http->config;
}

const NestHttpLimits *nest_http_limits(NestHttp *http)
{
    return &http->limits;
}

NestLargePlaces *nest_http_large(NestHttp *http)
{
    return http->large;
}

NestEventHub *nest_http_hub(NestHttp *http)
{
    return http->hub;
}

gboolean nest_http_may_log(NestHttp *http, NestLogKind kind)
{
    gint64 now = g_get_monotonic_time();
    if (http->logged[kind] != 0 && now - http->logged[kind] < G_TIME_SPAN_SECOND)
        return FALSE;
    http->logged[kind] = now;
    return TRUE;
}

static gboolean on_timer(gpointer data);

/* One timer for all connections, set to the earliest deadline there was when it was set. Deadlines
 * that moved on since only cost a look. */
void nest_http_arm(NestHttp *http, gint64 deadline)
{
    if (http->wakes != 0 && http->wakes <= deadline)
        return;
    if (http->timer != 0)
        g_source_remove(http->timer);
    gint64 wait = deadline - g_get_monotonic_time();
    http->timer = g_timeout_add(MAX(wait, 0) / 1000 + 1, on_timer, http);
    http->wakes = deadline;
}

static gboolean on_timer(gpointer data)
{
    NestHttp *http = data;
    gint64 now = g_get_monotonic_time(), next = 0;
    http->timer = 0;
    http->wakes = 0;
    g_autoptr(GPtrArray) expired = g_ptr_array_new();
    GHashTableIter iter;
    gpointer connection;
    g_hash_table_iter_init(&iter, http->connections);
    while (g_hash_table_iter_next(&iter, &connection, NULL)) {
        gint64 deadline = nest_connection_deadline(connection);
        if (deadline != 0 && deadline <= now)
            g_ptr_array_add(expired, connection);
        else if (deadline != 0 && (next == 0 || deadline < next))
            next = deadline;
    }
    if (next != 0)
        nest_http_arm(http, next);
    for (guint i = 0; i < expired->len; i++)
        if (g_hash_table_contains(http->connections, expired->pdata[i]))
            nest_connection_expired(expired->pdata[i]);
    return G_SOURCE_REMOVE;
}

void nest_http_forget(NestHttp *http, NestConnection *connection)
{
    if (g_hash_table_remove(http->connections, connection))
        nest_admission_leave(http->admission, nest_connection_uid(connection));
}

static void set_accepting(NestHttp *http, gboolean accepting)
{
    for (guint i = 0; i < http->watches->len; i++)
        nest_fd_watch_set(http->watches->pdata[i], accepting ? G_IO_IN : 0);
}

static gboolean on_resume(gpointer data)
{
    NestHttp *http = data;
    http->resume = 0;
    set_accepting(http, TRUE);
    return G_SOURCE_REMOVE;
}

/* The client stays in the backlog; trying again at once would only burn the processor. */
static void pause_accepting(NestHttp *http, int problem)
{
    if (nest_http_may_log(http, NEST_LOG_ACCEPT))
        g_warning("no connection can be accepted just now: %s", g_strerror(problem));
    set_accepting(http, FALSE);
    if (http->resume == 0)
        http->resume = g_timeout_add(ACCEPT_PAUSE_MS, on_resume, http);
}

/* Whoever the kernel can't name gets nothing. */
static gboolean read_caller(int fd, NestCaller *ret_caller)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer)
        return FALSE;
    *ret_caller = (NestCaller){.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
    return TRUE;
}

static void admit(NestHttp *http, int fd)
{
    NestCaller caller = {0};
    if (!read_caller(fd, &caller)) {
        close(fd);
        return;
    }
    if (!nest_admission_enter(http->admission, caller.uid)) {
        close(fd);
        if (nest_http_may_log(http, NEST_LOG_FULL))
            g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "MESSAGE",
                "connections are refused: %u are open, the last one came from uid %u",
                nest_admission_total(http->admission), (guint)caller.uid);
        return;
    }
    g_hash_table_add(http->connections, nest_connection_new(http, fd, &caller));
}

static void on_client(int socket, GIOCondition condition, gpointer data)
{
    NestHttp *http = data;
    for (guint i = 0; i < ACCEPT_BURST; i++) {
        int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int problem = errno;
        if (fd >= 0)
            admit(http, fd);
        else if (problem == EAGAIN)
            return;
        else if (problem != ECONNABORTED && problem != EINTR)
            return pause_accepting(http, problem);
    }
}

NestHttp *nest_http_new_with_limits(
    NestCore *core, const NestConfig *config, const NestHttpLimits *limits, GError **error)
{
    NestListen *listen = nest_listen_new(config, error);
    if (listen == NULL)
        return NULL;
    NestHttp *http = g_new0(NestHttp, 1);
    http->core = core;
    http->config = config;
    http->limits = *limits;
    if (http->limits.reply_timeout == 0)
        http->limits.reply_timeout = config->reply_timeout * 1000;
    http->listen = listen;
    http->admission = nest_admission_new(config->connections, config->connections_per_user);
    http->large = nest_large_places_new();
    http->connections = g_hash_table_new(NULL, NULL);
    http->hub = nest_event_hub_new(http);
    http->watches = g_ptr_array_new_with_free_func((GDestroyNotify)nest_fd_watch_free);
    for (guint i = 0; i < listen->fds->len; i++) {
        int fd = g_array_index(listen->fds, int, i);
        g_ptr_array_add(http->watches, nest_fd_watch_new(fd, G_IO_IN, on_client, http));
    }
    return http;
}

NestHttp *nest_http_new(NestCore *core, const NestConfig *config, GError **error)
{
    return nest_http_new_with_limits(core, config, &nest_http_default_limits, error);
}

void nest_http_free(NestHttp *http)
{
    if (http == NULL)
        return;
    g_ptr_array_unref(http->watches);
    nest_listen_free(http->listen);
    g_autoptr(GList) open = g_hash_table_get_keys(http->connections);
    for (GList *i = open; i != NULL; i = i->next)
        nest_connection_close(i->data);
    nest_event_hub_free(http->hub);
    g_hash_table_unref(http->connections);
    nest_admission_free(http->admission);
    nest_large_places_free(http->large);
    if (http->timer != 0)
        g_source_remove(http->timer);
    if (http->resume != 0)
        g_source_remove(http->resume);
    g_free(http);
}
