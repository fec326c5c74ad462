/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* A thread that watches a directory. */
typedef struct NestFakeWatch NestFakeWatch;

typedef struct {
    /* A file was renamed to name, or removed. */
    void (*file)(const char *name, gboolean removed, gpointer user_data);
    /* Time has come, or something happened: returns when to be called again, ms of the epoch, 0
     * for never. */
    gint64 (*tick)(gpointer user_data);
} NestFakeWatchFuncs;

NestFakeWatch *nest_fake_watch_new(
    const char *directory, const NestFakeWatchFuncs *funcs, gpointer user_data);

/* Waits for the thread's end. Not on that thread. */
void nest_fake_watch_free(NestFakeWatch *watch);
