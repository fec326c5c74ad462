/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-agent-exec.h"
#include "nest-backend.h"

/* A conversation with the agent inside a VM, from one worker. Every question has its deadline; an
 * agent that is late or silent for a while is borne, for its guest may be busy. */
typedef struct {
    NestBackend *backend;
    const char *uuid;
    gboolean silent; /* the last question got no answer; what can't be understood is one */
    gint64 heard; /* from the agent, monotonic */
} NestGuestTalk;

void nest_guest_talk_init(NestGuestTalk *talk, NestBackend *backend, const char *uuid);

/* Takes question. */
gboolean nest_guest_talk_ask(
    NestGuestTalk *talk, char *question, char **ret_answer, GError **error);

/* TRUE: the agent may answer yet, and error is gone. */
gboolean nest_guest_talk_is_patient(const NestGuestTalk *talk, GError **error);

/* The error that the agent does not know what any more, which nestd had it begin or open. */
void nest_guest_talk_forgotten(const char *what, GError **error);

/* Sleeps, for as long as cancellable (nullable) does not fire. */
void nest_guest_talk_rest(guint ms, GCancellable *cancellable);
