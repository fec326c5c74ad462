/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-watch.h"

struct NestWatch {
    GSource source;
    int fd;
    gpointer tag;
    GIOCondition condition;
    NestWatchFunc func;
    gpointer data;
};

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer data)
{
    NestWatch *watch = (NestWatch *)source;
    g_source_set_ready_time(source, -1);
    watch->func(watch->fd, g_source_query_unix_fd(source, watch->tag), watch->data);
    return G_SOURCE_CONTINUE;
}

NestWatch *nest_watch_new(int fd, GIOCondition condition, NestWatchFunc func, gpointer data)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    NestWatch *watch = (NestWatch *)g_source_new(&functions, sizeof *watch);
    watch->fd = fd;
    watch->condition = condition;
    watch->func = func;
    watch->data = data;
    watch->tag = g_source_add_unix_fd(&watch->source, fd, condition);
    g_source_attach(&watch->source, NULL);
    return watch;
}

void nest_watch_set(NestWatch *watch, GIOCondition condition)
{
    if (watch->condition == condition)
        return;
    watch->condition = condition;
    g_source_modify_unix_fd(&watch->source, watch->tag, condition);
}

void nest_watch_soon(NestWatch *watch)
{
    g_source_set_ready_time(&watch->source, 0);
}

void nest_watch_free(NestWatch *watch)
{
    if (watch == NULL)
        return;
    g_source_destroy(&watch->source);
    g_source_unref(&watch->source);
}
