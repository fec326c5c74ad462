/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Bytes that wait to be sent. */
typedef struct {
    GQueue chunks; /* GBytes */
    gsize offset; /* sent of the first one */
    gsize bytes; /* not sent yet */
} NestOutbox;

typedef enum { NEST_OUTBOX_EMPTY, NEST_OUTBOX_BLOCKED, NEST_OUTBOX_BROKEN } NestOutboxState;

/* Takes chunk. */
void nest_outbox_push(NestOutbox *outbox, GBytes *chunk);
void nest_outbox_push_text(NestOutbox *outbox, GString *text); /* takes text */
void nest_outbox_clear(NestOutbox *outbox);

/* Sends what fd takes without blocking. BROKEN: nothing will ever leave any more. */
NestOutboxState nest_outbox_send(NestOutbox *outbox, int fd);
