/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* A short command inside a VM, whose few words of output the agent keeps until its end. For what
 * runs long or prints much: nest-guest-exec.h. */
typedef struct {
    const char *path;
    const char *const *arguments;
    const char *input; /* base64, NULL none */
    guint seconds; /* that it may take */
    gsize output_max; /* bytes */
} NestGuestScript;

typedef struct {
    GBytes *output; /* standard output */
    char *said; /* standard error, for people; NULL nothing */
    gint64 status;
    guint signal; /* that ended it, 0: none did */
    gboolean loose; /* where it failed: it may still run, or be about to */
} NestGuestOutcome;
void nest_guest_outcome_clear(NestGuestOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestGuestOutcome, nest_guest_outcome_clear)

/* Blocks until it has ended. TIMEOUT where it has not in time, ABORTED if cancelled: it is killed
 * then, with all that it has started. Else as the agent of NestBackendOps. */
gboolean nest_guest_script_run(NestBackend *backend, const char *uuid,
    const NestGuestScript *script, GCancellable *cancellable, NestGuestOutcome *ret_outcome,
    GError **error);
