/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-fake-watch.h"
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

struct NestFakeWatch {
    const NestFakeWatchFuncs *funcs;
    gpointer user_data;
    GThread *thread;
    int inotify_fd;
    int quit_fd;
};

static void read_events(NestFakeWatch *watch)
{
    union {
        struct inotify_event event;
        char bytes[16384];
    } buffer;
    ssize_t length = read(watch->inotify_fd, &buffer, sizeof buffer);
    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const void *)(buffer.bytes + at);
        if (event->len > 0)
            watch->funcs->file(event->name, (event->mask & IN_DELETE) != 0, watch->user_data);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

static int wait_ms(gint64 next)
{
    if (next == 0)
        return -1;
    return (int)CLAMP(next - g_get_real_time() / 1000, 0, 60000);
}

static gpointer run(gpointer data)
{
    NestFakeWatch *watch = data;
    for (;;) {
        struct pollfd fds[] = {{watch->inotify_fd, POLLIN, 0}, {watch->quit_fd, POLLIN, 0}};
        gint64 next = watch->funcs->tick(watch->user_data);
        if (poll(fds, G_N_ELEMENTS(fds), wait_ms(next)) < 0 && errno != EINTR)
            g_error("poll: %s", g_strerror(errno));
        if (fds[1].revents != 0)
            return NULL;
        if (fds[0].revents != 0)
            read_events(watch);
    }
}

NestFakeWatch *nest_fake_watch_new(
    const char *directory, const NestFakeWatchFuncs *funcs, gpointer user_data)
{
    NestFakeWatch *watch = g_new0(NestFakeWatch, 1);
    watch->funcs = funcs;
    watch->user_data = user_data;
    watch->quit_fd = eventfd(0, EFD_CLOEXEC);
    watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->quit_fd < 0 || watch->inotify_fd < 0 ||
        inotify_add_watch(watch->inotify_fd, directory, IN_MOVED_TO | IN_DELETE) < 0)
        g_error("%s can't be watched: %s", directory, g_strerror(errno));
    watch->thread = g_thread_new("fake-watch", run, watch);
    return watch;
}

void nest_fake_watch_free(NestFakeWatch *watch)
{
    if (watch == NULL)
        return;
    if (eventfd_write(watch->quit_fd, 1) < 0)
        g_error("eventfd: %s", g_strerror(errno));
    g_thread_join(watch->thread);
    close(watch->inotify_fd);
    close(watch->quit_fd);
    g_free(watch);
}
