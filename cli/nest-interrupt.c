/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-interrupt.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* A thread that waits for the signal: firing a cancellable is nothing for a signal handler. */
static gpointer wait_for_signal(gpointer data)
{
    GCancellable *cancellable = data;
    int signal_number = 0;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    if (sigwait(&set, &signal_number) != 0)
        return NULL;
    g_cancellable_cancel(cancellable);
    g_object_unref(cancellable);
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (;;)
        pause();
    return NULL;
}

GCancellable *nest_interrupt_catch(void)
{
    GCancellable *cancellable = g_cancellable_new();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    g_thread_unref(g_thread_new("interrupt", wait_for_signal, g_object_ref(cancellable)));
    return cancellable;
}
