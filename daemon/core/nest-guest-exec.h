/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-traces.h"

/* A command inside a VM, over the agent there, from its start to its end; blocks as long as that
 * takes.
 *
 * The agent itself keeps 16 MiB of output at most and gives it at the end. So a shell in the guest
 * sends both outputs to files of a folder of its own in /tmp, and these are read while they grow.
 * The shell then becomes the command: the process that the agent knows is the command itself, and
 * leads a group of processes where the guest has setsid. The folder is a trace until it is gone. */

/* Some output, or none, a few times a minute at least. Blocks until there is room for more. */
typedef void (*NestGuestOutput)(gboolean err, GBytes *chunk, gpointer user_data);

/* TRUE: it ended with *ret_status, or by *ret_signal (else 0). If cancellable fires it is killed,
 * and error is ABORTED. VM_UNFIT where it could not begin; *ret_begun: it did. Else as the agent of
 * NestBackendOps; what came over the agent that late is read again, so that no output is lost. */
gboolean nest_guest_exec_run(NestBackend *backend, NestTraces *traces, const char *uuid,
    const NestExecWish *wish, NestGuestOutput output, gpointer user_data, GCancellable *cancellable,
    gboolean *ret_begun, gint64 *ret_status, guint *ret_signal, GError **error);

/* What is wrong with wish, if anything: INVALID_REQUEST. */
gboolean nest_guest_exec_check(const NestExecWish *wish, GError **error);
