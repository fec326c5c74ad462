/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fd-watch.h"

struct NestFdWatch {
    GSource source;
    int fd;
    gpointer tag;
    GIOCondition condition;
    NestFdWatchFunc func;
    gpointer data;
};

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer data)
{
    NestFdWatch *watch = (NestFdWatch *)source;
    g_source_set_ready_time(source, -1);
    watch->func(watch->fd, g_source_query_unix_fd(source, watch->tag), watch->data);
    return G_SOURCE_CONTINUE;
}

NestFdWatch *nest_fd_watch_new(int fd, GIOCondition condition, NestFdWatchFunc func, gpointer data)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    NestFdWatch *watch = (NestFdWatch *)g_source_new(&functions, sizeof *watch);
    watch->fd = fd;
    watch->condition = condition;
    watch->func = func;
    watch->data = data;
    watch->tag = g_source_add_unix_fd(&watch->source, fd, condition);
    g_source_attach(&watch->source, NULL);
    return watch;
}

void nest_fd_watch_set(NestFdWatch *watch, GIOCondition condition)
{
    if (watch->condition == condition)
        return;
    watch->condition = condition;
    g_source_modify_unix_fd(&watch->source, watch->tag, condition);
}

void nest_fd_watch_soon(NestFdWatch *watch)
{
    g_source_set_ready_time(&watch->source, 0);
}

void nest_fd_watch_free(NestFdWatch *watch)
{
    if (watch == NULL)
        return;
    g_source_destroy(&watch->source);
    g_source_unref(&watch->source);
}
