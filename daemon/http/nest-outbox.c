/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-outbox.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PARTS 16

void nest_outbox_push(NestOutbox *outbox, GBytes *chunk)
{
    gsize size = g_bytes_get_size(chunk);
    if (size == 0) {
        g_bytes_unref(chunk);
        return;
    }
    g_queue_push_tail(&outbox->chunks, chunk);
    outbox->bytes += size;
}

void nest_outbox_push_text(NestOutbox *outbox, GString *text)
{
    nest_outbox_push(outbox, g_string_free_to_bytes(text));
}

void nest_outbox_clear(NestOutbox *outbox)
{
    g_queue_clear_full(&outbox->chunks, (GDestroyNotify)g_bytes_unref);
    outbox->offset = 0;
    outbox->bytes = 0;
}

static guint gather(const NestOutbox *outbox, struct iovec *parts)
{
    guint n = 0;
    for (GList *i = outbox->chunks.head; i != NULL && n < PARTS; i = i->next, n++) {
        gsize size, skip = n == 0 ? outbox->offset : 0;
        const char *data = g_bytes_get_data(i->data, &size);
        parts[n] = (struct iovec){.iov_base = (char *)data + skip, .iov_len = size - skip};
    }
    return n;
}

static void drop(NestOutbox *outbox, gsize sent)
{
    outbox->bytes -= sent;
    outbox->offset += sent;
    while (!g_queue_is_empty(&outbox->chunks)) {
        GBytes *first = g_queue_peek_head(&outbox->chunks);
        gsize size = g_bytes_get_size(first);
        if (outbox->offset < size)
            return;
        outbox->offset -= size;
        g_bytes_unref(g_queue_pop_head(&outbox->chunks));
    }
}

NestOutboxState nest_outbox_send(NestOutbox *outbox, int fd)
{
    struct iovec parts[PARTS];
    while (outbox->bytes > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = gather(outbox, parts)};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            drop(outbox, sent);
        else if (errno == EAGAIN || errno == ENOBUFS)
            return NEST_OUTBOX_BLOCKED;
        else if (errno != EINTR)
            return NEST_OUTBOX_BROKEN;
    }
    return NEST_OUTBOX_EMPTY;
}
