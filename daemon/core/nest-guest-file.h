/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-traces.h"

/* Files put into a VM and got out of it, over the agent there; blocks as long as that takes. Every
 * question to the agent has its deadline, and an answer that is late is asked for again from the
 * same place, so that nothing is lost or written twice. */

#define NEST_GUEST_PIECE (256 * 1024) /* bytes; what goes to or from the agent at a time */
#define NEST_GUEST_FILE_MAX (G_GUINT64_CONSTANT(64) << 30) /* bytes of a file */

typedef struct {
    const char *path; /* in the guest, whole from its root */
    const char *mode; /* octal; NULL: that of the file which is replaced, else 644 */
    guint64 size;
} NestGuestPut;

/* The next piece of the file, of 1 to NEST_GUEST_PIECE bytes. FALSE: none will come. */
typedef gboolean (*NestGuestSource)(GBytes **ret_piece, gpointer user_data, GError **error);

/* A piece of a file, or none, a few times a minute at least; total: its size where it can be told,
 * else 0. Blocks until there is room for more. */
typedef void (*NestGuestSink)(GBytes *piece, guint64 total, gpointer user_data);

/* What is wrong with put, if anything: INVALID_REQUEST, TOO_LARGE. */
gboolean nest_guest_file_check(const NestGuestPut *put, GError **error);

/* The file goes into another one beside it, .nestd-NUMBER, which takes its place by renaming once
 * all of it is there by size and, where the guest can tell, SHA-256. On FALSE the file is as it was
 * and that other one, a trace until then, is taken away: where it could not be, the message says
 * so. VM_UNFIT where the
 * guest can't or won't take it, NOT_VERIFIED where it is not there as it was sent, ABORTED once
 * cancellable has fired; else as source, or as the agent of NestBackendOps. */
gboolean nest_guest_file_put(NestBackend *backend, NestTraces *traces, const char *uuid,
    const NestGuestPut *put, NestGuestSource source, gpointer user_data, GCancellable *cancellable,
    NestFile **ret_file, GError **error);

/* *ret_begun: it could be opened. NOT_VERIFIED where it changed meanwhile; a file that has only
 * grown is what it was. */
gboolean nest_guest_file_get(NestBackend *backend, const char *uuid, const char *path,
    NestGuestSink sink, gpointer user_data, GCancellable *cancellable, gboolean *ret_begun,
    NestFile **ret_file, GError **error);
