/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guest-talk.h"

#define NEST_GUEST_STEP_MAX (256 * 1024)

/* An open file in a guest, and the place in it. After an answer that did not come, which may have
 * moved the guest's place, that is set again before the next read or write.
 *
 * How much is asked for at a time goes by how fast the guest is: an agent on an emulated CPU takes
 * seconds for what another one does in a millisecond. */
typedef struct {
    gint64 handle; /* -1: not open */
    guint64 offset;
    gboolean lost; /* where it stands in the guest is not known */
    guint step; /* bytes at a time; 0: not known yet */
    gint64 moved; /* the offset, or that it is the end; monotonic */
} NestGuestStream;

/* mode: "r", "w", "r+". */
gboolean nest_guest_stream_open(NestGuestStream *stream, NestGuestTalk *talk, const char *path,
    const char *mode, GError **error);

/* Up to NEST_GUEST_STEP_MAX bytes; *ret_end: the file ends there. */
gboolean nest_guest_stream_read(NestGuestStream *stream, NestGuestTalk *talk, GBytes **ret_piece,
    gboolean *ret_end, GError **error);

/* *ret_written: how many of piece's bytes it took, at least one. */
gboolean nest_guest_stream_write(NestGuestStream *stream, NestGuestTalk *talk, GBytes *piece,
    gsize *ret_written, GError **error);

/* TRUE: for a minute nothing came of it, neither more nor the end. */
gboolean nest_guest_stream_is_stuck(const NestGuestStream *stream);

/* TRUE: the read or write that failed is worth trying again, and error is gone. */
gboolean nest_guest_stream_is_patient(
    const NestGuestStream *stream, const NestGuestTalk *talk, GError **error);

/* Has what was written leave the agent's own memory. */
gboolean nest_guest_stream_flush(NestGuestStream *stream, NestGuestTalk *talk, GError **error);

/* The size of the file, 0 where that can't be told. */
guint64 nest_guest_stream_size(NestGuestStream *stream, NestGuestTalk *talk);

/* FALSE: it may still be open there. */
gboolean nest_guest_stream_close(NestGuestStream *stream, NestGuestTalk *talk);
