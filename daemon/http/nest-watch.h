/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A file descriptor watched by the main loop, whose conditions can change without a new source. */
typedef struct NestWatch NestWatch;

/* condition is 0 where only nest_watch_soon() was the reason. HUP and ERR always come. */
typedef void (*NestWatchFunc)(int fd, GIOCondition condition, gpointer data);

NestWatch *nest_watch_new(int fd, GIOCondition condition, NestWatchFunc func, gpointer data);
void nest_watch_set(NestWatch *watch, GIOCondition condition);

/* func is called in the next turn of the main loop, whatever the descriptor says. */
void nest_watch_soon(NestWatch *watch);

/* func is not called any more, not even from within itself. */
void nest_watch_free(NestWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestWatch, nest_watch_free)
