/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A program that nestd has started and now waits for. Whoever starts it, with
 * G_SPAWN_DO_NOT_REAP_CHILD, puts in pid and words_fd. */
typedef struct {
    GPid pid;
    int status; /* as of waitpid(), once it has ended */
    int words_fd; /* a pipe with what it says, -1 for none; closed with the struct */
    gsize words_max;
    GString *words; /* the first so many bytes of it */
} NestChild;

NestChild nest_child_init(gsize words_max);
void nest_child_clear(NestChild *child);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestChild, nest_child_clear)

/* Blocks until it has ended (TRUE), or the time is over: then it is killed (FALSE). It is reaped
 * either way; one that the kernel does not let die, as soon as it does. Any thread. */
gboolean nest_child_attend(NestChild *child, guint timeout_ms);
