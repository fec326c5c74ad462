/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-child.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MS 10 /* between two looks at one that says nothing */
#define LAST_PAUSE_US 500 /* and at one that has said all */
#define KILLED_MS 1000 /* after which one that does not die is left alone */

NestChild nest_child_init(gsize words_max)
{
    return (NestChild){.words_fd = -1, .words_max = words_max, .words = g_string_new(NULL)};
}

void nest_child_clear(NestChild *child)
{
    if (child->words_fd >= 0)
        close(child->words_fd);
    g_string_free(child->words, TRUE);
}

/* FALSE at the end of what it says. */
static gboolean listen(NestChild *child)
{
    char buffer[1024];
    ssize_t n = read(child->words_fd, buffer, sizeof buffer);
    if (n > 0 && child->words->len < child->words_max)
        g_string_append_len(
            child->words, buffer, MIN((gsize)n, child->words_max - child->words->len));
    return n > 0;
}

/* Older kernels have no descriptor that tells of the end of a process. */
static gboolean attend(NestChild *child, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + timeout_ms * G_GINT64_CONSTANT(1000);
    while (waitpid(child->pid, &child->status, WNOHANG) == 0) {
        struct pollfd words = {child->words_fd, POLLIN, 0};
        if (g_get_monotonic_time() >= deadline)
            return FALSE;
        if (poll(&words, 1, PAUSE_MS) == 1 && !listen(child))
            g_usleep(LAST_PAUSE_US);
    }
    while (listen(child))
        continue;
    return TRUE;
}

static void reaped(GPid pid, int status, gpointer data)
{
}

gboolean nest_child_attend(NestChild *child, guint timeout_ms)
{
    if (child->words_fd >= 0)
        fcntl(child->words_fd, F_SETFL, O_NONBLOCK);
    if (attend(child, timeout_ms))
        return TRUE;
    /* One that the kernel holds can't be killed; whoever runs the main loop learns of its end. */
    kill(child->pid, SIGKILL);
    if (!attend(child, KILLED_MS))
        g_child_watch_add(child->pid, reaped, NULL);
    return FALSE;
}
