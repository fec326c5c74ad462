/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-connection.h"
#include "nest-answer.h"
#include "nest-error.h"
#include "nest-fd-watch.h"
#include "nest-outbox.h"
#include "nest-reply.h"
#include "nest-router.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 8192
#define UPLOAD_SIZE (64 * 1024) /* read at a time of a body that is taken as it comes */
#define PIECE_SIZE (256 * 1024)
#define KEEP_BUFFER (64 * 1024) /* larger input buffers are given back after the request */
#define LINGER_MAX (16 * 1024 * 1024)

typedef enum {
    STATE_HEAD, /* nothing, or a part of a head, has come */
    STATE_BODY,
    STATE_WORK, /* a handler has the request */
    STATE_UPLOAD, /* … and waits for more of its body */
    STATE_REPLY, /* the reply is on its way */
    STATE_STREAM,
    STATE_LINGER, /* refused; reads on so that the client can see the reply */
    STATE_CLOSED
} State;

struct NestConnection {
    NestHttp *http;
    int fd;
    NestFdWatch *watch;
    NestCaller caller;
    gboolean known; /* caller.right has been looked up */
    State state;
    gint64 deadline; /* monotonic, 0 for none */
    gint64 began; /* when the first byte of this request came, or the client connected */
    GByteArray *in;
    gsize scanned;
    gsize head_length;
    NestHead head; /* in STATE_BODY */
    NestExchange *exchange; /* in STATE_WORK and STATE_UPLOAD */
    gsize rest; /* of the body of a raw route, not handed over yet */
    NestUploadHooks upload; /* until the reply; piece is NULL where there are none */
    NestLarge *large; /* the place of the request in hand, until its reply has left */
    NestOutbox out;
    gboolean head_only; /* the reply goes without its body */
    gboolean http10;
    gboolean close; /* after the reply */
    gboolean unread; /* there may be a rest of a refused request */
    gboolean continues; /* the client waits for word before it sends the body */
    gsize lingered;
    NestStreamHooks hooks;
};

uid_t nest_connection_uid(const NestConnection *c)
{
    return c->caller.uid;
}

gint64 nest_connection_deadline(const NestConnection *c)
{
    return c->deadline;
}

gsize nest_connection_unsent(const NestConnection *c)
{
    return c->out.bytes;
}

static void set_deadline(NestConnection *c, gint64 from, guint timeout_ms)
{
    c->deadline = from + timeout_ms * G_TIME_SPAN_MILLISECOND;
    nest_http_arm(c->http, c->deadline);
}

static void deadline_in(NestConnection *c, guint timeout_ms)
{
    set_deadline(c, g_get_monotonic_time(), timeout_ms);
}

static void detach_exchange(NestConnection *c)
{
    NestExchange *exchange = g_steal_pointer(&c->exchange);
    if (exchange == NULL)
        return;
    exchange->connection = NULL;
    nest_exchange_unref(exchange);
}

static void clear(gpointer data)
{
    NestConnection *c = data;
    g_byte_array_unref(c->in);
    nest_head_clear(&c->head);
    g_clear_pointer(&c->large, nest_large_unref);
    nest_outbox_clear(&c->out);
}

void nest_connection_close(NestConnection *c)
{
    if (c->state == STATE_CLOSED)
        return;
    State before = c->state;
    c->state = STATE_CLOSED;
    c->deadline = 0;
    g_clear_pointer(&c->watch, nest_fd_watch_free);
    close(c->fd);
    detach_exchange(c);
    if (before == STATE_STREAM)
        c->hooks.closed(c->hooks.data);
    if (c->upload.piece != NULL)
        c->upload.closed(c->upload.data);
    nest_http_forget(c->http, c);
    g_rc_box_release_full(c, clear);
}

static void linger(NestConnection *c)
{
    c->state = STATE_LINGER;
    g_byte_array_set_size(c->in, 0);
    shutdown(c->fd, SHUT_WR);
    deadline_in(c, nest_http_limits(c->http)->linger_timeout);
    nest_fd_watch_set(c->watch, G_IO_IN);
}

static void begin_head(NestConnection *c)
{
    const NestHttpLimits *limits = nest_http_limits(c->http);
    c->state = STATE_HEAD;
    c->scanned = 0;
    nest_fd_watch_set(c->watch, G_IO_IN);
    c->began = g_get_monotonic_time();
    if (c->in->len == 0) {
        set_deadline(c, c->began, limits->idle_timeout);
    } else {
        set_deadline(c, c->began, limits->head_timeout);
        nest_fd_watch_soon(c->watch);
    }
}

static void finish_reply(NestConnection *c)
{
    g_clear_pointer(&c->large, nest_large_unref);
    if (!c->close)
        begin_head(c);
    else if (c->unread)
        linger(c);
    else
        nest_connection_close(c);
}

static void all_sent(NestConnection *c)
{
    if (c->state == STATE_REPLY) {
        finish_reply(c);
    } else if (c->state == STATE_STREAM) {
        c->deadline = 0;
        nest_fd_watch_set(c->watch, 0);
    } else {
        nest_fd_watch_set(c->watch, G_IO_IN); /* a 100 Continue has left */
    }
}

static void send_out(NestConnection *c)
{
    gsize before = c->out.bytes;
    switch (nest_outbox_send(&c->out, c->fd)) {
    case NEST_OUTBOX_EMPTY:
        all_sent(c);
        break;
    case NEST_OUTBOX_BLOCKED:
        nest_fd_watch_set(c->watch, G_IO_OUT);
        if (c->state == STATE_STREAM && (c->deadline == 0 || c->out.bytes < before))
            deadline_in(c, nest_http_limits(c->http)->write_timeout);
        break;
    case NEST_OUTBOX_BROKEN:
        nest_connection_close(c);
        break;
    }
}

void nest_connection_reply(
    NestConnection *c, guint status, const char *type, const char *headers, GBytes *body)
{
    gsize length = body != NULL ? g_bytes_get_size(body) : 0;
    detach_exchange(c);
    c->upload = (NestUploadHooks){NULL};
    c->close = c->close || c->rest > 0;
    c->unread = c->unread || c->rest > 0;
    GString *text = nest_answer_begin(c->http10, status, type);
    if (headers != NULL)
        g_string_append(text, headers);
    if (status != 204 && status != 304)
        g_string_append_printf(text, "Content-Length: %" G_GSIZE_FORMAT "\r\n", length);
    g_string_append(text, c->close ? "Connection: close\r\n\r\n" : "\r\n");
    nest_outbox_push_text(&c->out, text);
    if (length > 0 && !c->head_only)
        nest_outbox_push(&c->out, g_bytes_ref(body));
    c->state = STATE_REPLY;
    deadline_in(c, nest_http_limits(c->http)->write_timeout);
    send_out(c);
}

void nest_connection_stream(NestConnection *c, const char *type, const NestStreamHooks *hooks)
{
    detach_exchange(c);
    c->close = TRUE;
    c->state = STATE_STREAM;
    c->hooks = *hooks;
    c->deadline = 0;
    nest_outbox_push_text(&c->out, nest_answer_stream(c->http10, type));
}

gboolean nest_connection_write(NestConnection *c, const char *data, gsize length)
{
    g_rc_box_acquire(c);
    GString *text = g_string_sized_new(length + 16);
    if (!c->http10)
        g_string_append_printf(text, "%" G_GSIZE_MODIFIER "x\r\n", length);
    g_string_append_len(text, data, length);
    if (!c->http10)
        g_string_append(text, "\r\n");
    nest_outbox_push_text(&c->out, text);
    send_out(c);
    gboolean open = c->state != STATE_CLOSED;
    g_rc_box_release_full(c, clear);
    return open;
}

void nest_connection_end(NestConnection *c)
{
    c->state = STATE_REPLY;
    deadline_in(c, nest_http_limits(c->http)->write_timeout);
    if (!c->http10)
        nest_outbox_push_text(&c->out, g_string_new("0\r\n\r\n"));
    send_out(c);
}

void nest_connection_more(NestConnection *c)
{
    nest_fd_watch_soon(c->watch);
}

void nest_connection_extend(NestConnection *c, guint deadline_ms)
{
    if (c->state == STATE_WORK)
        deadline_in(c, deadline_ms);
}

static void refuse(NestConnection *c, guint status, const GError *error)
{
    g_autofree char *problem = nest_reply_problem_text(status, error, NULL);
    gsize length = strlen(problem);
    g_autoptr(GBytes) body = g_bytes_new_take(g_steal_pointer(&problem), length);
    c->close = TRUE;
    c->unread = TRUE;
    c->http10 = FALSE;
    c->head_only = c->in->len > 5 && memcmp(c->in->data, "HEAD ", 5) == 0;
    nest_connection_reply(c, status, "application/problem+json", NULL, body);
}

static void refuse_error(NestConnection *c, const GError *error)
{
    refuse(c, nest_error_http_status(nest_error_code(error)), error);
}

static void refuse_large_head(NestConnection *c)
{
    g_autoptr(GError) error = NULL;
    nest_set_error(&error, NEST_ERROR_TOO_LARGE, NULL, "the head of the request is too large");
    refuse(c, 431, error);
}

static void send_continue(NestConnection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    nest_outbox_push(&c->out, g_bytes_new_static(text, sizeof text - 1));
    send_out(c);
}

/* Once per connection, and only for those that ask something: the name service may be slow. */
static void look_up_right(NestConnection *c)
{
    if (!c->known)
        c->caller.right = nest_rights_of(nest_http_config(c->http), c->caller.uid, c->caller.gid);
    c->known = TRUE;
}

/* Large bodies are for callers and routes that need them, one at a time; what is taken as it comes
 * is never all here. */
static gboolean admit_body(NestConnection *c, GError **error)
{
    const NestHttpLimits *limits = nest_http_limits(c->http);
    look_up_right(c);
    if (nest_router_takes_raw(&c->head, c->caller.right)) {
        c->rest = c->head.length;
        return TRUE;
    }
    if (c->head.length <= limits->body_max)
        return TRUE;
    if (c->head.length <= limits->large_max && nest_router_takes_large(&c->head, c->caller.right)) {
        c->large = nest_large_take(nest_http_large(c->http), c->caller.uid, error);
        return c->large != NULL;
    }
    nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL,
        "the body of this request may have at most %" G_GSIZE_FORMAT " bytes", limits->body_max);
    return FALSE;
}

static gboolean expects_more(const NestConnection *c)
{
    return c->head.expect_continue && !c->head.http10 &&
        c->in->len < c->head_length + c->head.length;
}

static void read_head(NestConnection *c)
{
    const NestHttpLimits *limits = nest_http_limits(c->http);
    g_autoptr(GError) error = NULL;
    while (c->scanned == 0 && c->in->len >= 2 && memcmp(c->in->data, "\r\n", 2) == 0)
        g_byte_array_remove_range(c->in, 0, 2);
    const char *data = (const char *)c->in->data;
    gsize length = MIN(c->in->len, limits->head_max);
    if (!nest_head_find(data, length, &c->scanned, &c->head_length, &error))
        return refuse_error(c, error);
    if (c->head_length == 0) {
        if (c->in->len >= limits->head_max)
            refuse_large_head(c);
        return;
    }
    if (!nest_head_parse(data, c->head_length, limits->raw_max, &c->head, &error) ||
        !admit_body(c, &error))
        return refuse_error(c, error);
    c->state = STATE_BODY;
    set_deadline(c, c->began, limits->request_timeout);
    if (expects_more(c) && c->rest == 0)
        send_continue(c);
}

static void give_buffer_back(NestConnection *c)
{
    g_byte_array_unref(c->in);
    c->in = g_byte_array_new();
}

/* Takes head and body of the request in hand from the input. */
static GByteArray *take_body(NestConnection *c)
{
    GByteArray *body = g_byte_array_new();
    gsize length = c->head.length - c->rest;
    gsize whole = c->head_length + length;
    if (length > 0)
        g_byte_array_append(body, c->in->data + c->head_length, length);
    g_byte_array_remove_range(c->in, 0, whole);
    if (whole > KEEP_BUFFER && c->in->len == 0)
        give_buffer_back(c);
    return body;
}

static void start_work(NestConnection *c)
{
    c->head_only = strcmp(c->head.method, "HEAD") == 0;
    c->http10 = c->head.http10;
    c->close = c->head.close;
    c->unread = FALSE;
    c->continues = c->rest > 0 && expects_more(c);
    c->state = STATE_WORK;
    nest_fd_watch_set(c->watch, 0);
    deadline_in(c, nest_http_limits(c->http)->reply_timeout);
    g_autoptr(GByteArray) body = take_body(c);
    look_up_right(c);
    c->exchange = nest_exchange_new(c->http, c, &c->caller, &c->head);
    c->exchange->large = c->large != NULL ? nest_large_ref(c->large) : NULL;
    g_autoptr(NestExchange) exchange = nest_exchange_ref(c->exchange);
    nest_router_run(exchange, (const char *)body->data, body->len);
}

void nest_connection_upload(NestConnection *c, const NestUploadHooks *hooks)
{
    c->upload = *hooks;
    c->deadline = 0;
}

void nest_connection_take(NestConnection *c)
{
    if (c->upload.piece == NULL || c->state != STATE_WORK || c->rest == 0)
        return;
    c->state = STATE_UPLOAD;
    deadline_in(c, nest_http_limits(c->http)->upload_timeout);
    if (c->continues && c->in->len < c->rest)
        send_continue(c);
    c->continues = FALSE;
    if (c->state != STATE_UPLOAD)
        return;
    nest_fd_watch_set(c->watch, G_IO_IN);
    if (c->in->len >= MIN(c->rest, PIECE_SIZE))
        nest_fd_watch_soon(c->watch);
}

static void hand_over(NestConnection *c)
{
    gsize length = MIN(c->rest, PIECE_SIZE);
    g_autoptr(GBytes) piece = g_bytes_new(c->in->data, length);
    g_byte_array_remove_range(c->in, 0, (guint)length);
    c->rest -= length;
    c->state = STATE_WORK;
    c->deadline = 0;
    nest_fd_watch_set(c->watch, 0);
    c->upload.piece(piece, c->upload.data);
}

/* One request at most; where more have come already, the main loop comes back. */
static void advance(NestConnection *c)
{
    if (c->state == STATE_HEAD && c->in->len > 0)
        read_head(c);
    if (c->state == STATE_BODY && c->in->len >= c->head_length + c->head.length - c->rest)
        start_work(c);
    if (c->state == STATE_UPLOAD && c->in->len >= MIN(c->rest, PIECE_SIZE))
        hand_over(c);
}

static void receive(NestConnection *c)
{
    guint had = c->in->len, size = c->rest > 0 ? UPLOAD_SIZE : READ_SIZE;
    g_byte_array_set_size(c->in, had + size);
    ssize_t got = recv(c->fd, c->in->data + had, size, MSG_DONTWAIT);
    int problem = errno;
    g_byte_array_set_size(c->in, had + MAX(got, 0));
    if (got == 0 || (got < 0 && problem != EAGAIN && problem != EINTR)) {
        nest_connection_close(c);
        return;
    }
    if (c->state == STATE_LINGER) {
        g_byte_array_set_size(c->in, 0);
        c->lingered += MAX(got, 0);
        if (c->lingered > LINGER_MAX + c->rest)
            nest_connection_close(c);
        return;
    }
    if (c->state == STATE_UPLOAD && got > 0)
        deadline_in(c, nest_http_limits(c->http)->upload_timeout);
    if (c->state == STATE_HEAD && had == 0 && got > 0) {
        c->began = g_get_monotonic_time();
        set_deadline(c, c->began, nest_http_limits(c->http)->head_timeout);
    }
}

static void on_ready(int fd, GIOCondition condition, gpointer data)
{
    NestConnection *c = g_rc_box_acquire(data);
    gboolean reads = c->state == STATE_HEAD || c->state == STATE_BODY || c->state == STATE_UPLOAD ||
        c->state == STATE_LINGER;
    gboolean pipelined = c->state == STATE_HEAD && c->in->len > 0 && c->scanned == 0;
    if ((condition & (G_IO_HUP | G_IO_ERR)) && !pipelined && !(reads && (condition & G_IO_IN)))
        nest_connection_close(c);
    if (c->state != STATE_CLOSED && (condition & G_IO_OUT))
        send_out(c);
    if (c->state != STATE_CLOSED && reads && !pipelined && (condition & G_IO_IN))
        receive(c);
    if (c->state == STATE_STREAM && c->out.bytes == 0)
        c->hooks.drained(c->hooks.data);
    advance(c);
    g_rc_box_release_full(c, clear);
}

static void time_out(NestConnection *c)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NestExchange) exchange = nest_exchange_ref(c->exchange);
    nest_exchange_late(exchange, &error);
    nest_reply_error(exchange, error);
}

void nest_connection_expired(NestConnection *c)
{
    if (c->state == STATE_WORK && c->exchange != NULL)
        time_out(c);
    else
        nest_connection_close(c);
}

NestConnection *nest_connection_new(NestHttp *http, int fd, const NestCaller *caller)
{
    NestConnection *c = g_rc_box_new0(NestConnection);
    c->http = http;
    c->fd = fd;
    c->caller = *caller;
    c->in = g_byte_array_new();
    c->watch = nest_fd_watch_new(fd, G_IO_IN, on_ready, c);
    c->began = g_get_monotonic_time();
    set_deadline(c, c->began, nest_http_limits(http)->head_timeout);
    return c;
}
