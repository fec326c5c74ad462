/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A file descriptor watched by the main loop, whose conditions can change without a new source. */
typedef struct NestFdWatch NestFdWatch;

/* condition is 0 where only nest_fd_watch_soon() was the reason. HUP and ERR always come. */
typedef void (*NestFdWatchFunc)(int fd, GIOCondition condition, gpointer data);

NestFdWatch *nest_fd_watch_new(int fd, GIOCondition condition, NestFdWatchFunc func, gpointer data);
void nest_fd_watch_set(NestFdWatch *watch, GIOCondition condition);

/* func is called in the next turn of the main loop, whatever the descriptor says. */
void nest_fd_watch_soon(NestFdWatch *watch);

/* func is not called any more, not even from within itself. */
void nest_fd_watch_free(NestFdWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestFdWatch, nest_fd_watch_free)
