/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt-loop.h"
#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

typedef struct {
    int fd; /* -1: a timer */
    int id;
    GSource *source; /* NULL while disabled */
    virEventHandleCallback on_ready;
    virEventTimeoutCallback on_time;
    void *opaque;
    virFreeCallback release;
} Watch;

/* The functions given to virEventRegisterImpl() take no user data. */
static struct {
    GMutex control; /* start and stop, one at a time */
    GMainContext *context;
    GThread *thread;
    guint users;
    GMutex lock; /* guards what follows; never held while calling out */
    GHashTable *watches; /* id → Watch, one reference */
    int last_id;
    gint stopping; /* atomic */
} loop;

static void watch_unref(gpointer watch)
{
    g_atomic_rc_box_release(watch);
}

static GIOCondition condition_from_events(int events)
{
    GIOCondition condition = 0;

    if (events & VIR_EVENT_HANDLE_READABLE)
        condition |= G_IO_IN;
    if (events & VIR_EVENT_HANDLE_WRITABLE)
        condition |= G_IO_OUT;
    if (events & VIR_EVENT_HANDLE_ERROR)
        condition |= G_IO_ERR;
    if (events & VIR_EVENT_HANDLE_HANGUP)
        condition |= G_IO_HUP;
    return condition;
}

static int events_from_condition(GIOCondition condition)
{
    int events = 0;

    if (condition & G_IO_IN)
        events |= VIR_EVENT_HANDLE_READABLE;
    if (condition & G_IO_OUT)
        events |= VIR_EVENT_HANDLE_WRITABLE;
    if (condition & (G_IO_ERR | G_IO_NVAL))
        events |= VIR_EVENT_HANDLE_ERROR;
    if (condition & G_IO_HUP)
        events |= VIR_EVENT_HANDLE_HANGUP;
    return events;
}

static gboolean on_ready(gint fd, GIOCondition condition, gpointer data)
{
    Watch *watch = data;

    watch->on_ready(watch->id, fd, events_from_condition(condition), watch->opaque);
    return G_SOURCE_CONTINUE;
}

static gboolean on_time(gpointer data)
{
    Watch *watch = data;

    watch->on_time(watch->id, watch->opaque);
    return G_SOURCE_CONTINUE;
}

static void watch_detach(Watch *watch)
{
    if (watch->source == NULL)
        return;
    g_source_destroy(watch->source);
    g_clear_pointer(&watch->source, g_source_unref);
}

/* value: events of a descriptor, milliseconds of a timer; 0 and -1 disable them. */
static void watch_arm(Watch *watch, int value)
{
    gboolean timer = watch->fd < 0;

    watch_detach(watch);
    if (timer ? value < 0 : value == 0)
        return;
    if (timer) {
        watch->source = g_timeout_source_new((guint)value);
        g_source_set_callback(watch->source, on_time, g_atomic_rc_box_acquire(watch), watch_unref);
    } else {
        watch->source = g_unix_fd_source_new(watch->fd, condition_from_events(value));
        g_source_set_callback(
            watch->source, G_SOURCE_FUNC(on_ready), g_atomic_rc_box_acquire(watch), watch_unref);
    }
    g_source_attach(watch->source, loop.context);
}

static int add(Watch *watch, int value)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.lock);

    watch->id = ++loop.last_id;
    g_hash_table_insert(loop.watches, GINT_TO_POINTER(watch->id), watch);
    watch_arm(watch, value);
    return watch->id;
}

static void update(int id, int value)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.lock);
    Watch *watch = g_hash_table_lookup(loop.watches, GINT_TO_POINTER(id));

    if (watch != NULL)
        watch_arm(watch, value);
}

static gboolean release(gpointer data)
{
    Watch *watch = data;

    if (watch->release != NULL)
        watch->release(watch->opaque);
    return G_SOURCE_REMOVE;
}

/* libvirt wants its release function called from a clean stack, and it must not run beside a
 * callback: both hold on the loop's thread. */
static int drop(int id)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.lock);
    Watch *watch = g_hash_table_lookup(loop.watches, GINT_TO_POINTER(id));
    g_autoptr(GSource) source = NULL;

    if (watch == NULL)
        return -1;
    watch_detach(watch);
    g_hash_table_steal(loop.watches, GINT_TO_POINTER(id));
    source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, release, watch, watch_unref);
    g_source_attach(source, loop.context);
    return 0;
}

static int add_handle(
    int fd, int events, virEventHandleCallback callback, void *opaque, virFreeCallback ff)
{
    Watch *watch = g_atomic_rc_box_new0(Watch);

    watch->fd = fd;
    watch->on_ready = callback;
    watch->opaque = opaque;
    watch->release = ff;
    return add(watch, events);
}

static int add_timeout(int ms, virEventTimeoutCallback callback, void *opaque, virFreeCallback ff)
{
    Watch *watch = g_atomic_rc_box_new0(Watch);

    watch->fd = -1;
    watch->on_time = callback;
    watch->opaque = opaque;
    watch->release = ff;
    return add(watch, ms);
}

static void ignore_error(void *user_data, virErrorPtr error)
{
}

static gpointer run(gpointer data)
{
    while (!g_atomic_int_get(&loop.stopping))
        g_main_context_iteration(loop.context, TRUE);
    return NULL;
}

void nest_libvirt_loop_start(void)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.control);

    if (loop.context == NULL) {
        loop.context = g_main_context_new();
        loop.watches = g_hash_table_new_full(NULL, NULL, NULL, watch_unref);
        virSetErrorFunc(NULL, ignore_error);
        virEventRegisterImpl(add_handle, update, drop, add_timeout, update, drop);
    }
    if (loop.users++ > 0)
        return;
    g_atomic_int_set(&loop.stopping, FALSE);
    loop.thread = g_thread_new("libvirt-events", run, NULL);
}

typedef struct {
    GMutex lock;
    GCond cond;
    gboolean passed;
} Barrier;

static gboolean pass(gpointer data)
{
    Barrier *barrier = data;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&barrier->lock);

    barrier->passed = TRUE;
    g_cond_signal(&barrier->cond);
    return G_SOURCE_REMOVE;
}

/* Waits until the loop has run everything that is due. */
static void wait_for_callbacks(void)
{
    g_autoptr(GSource) source = g_idle_source_new();
    Barrier barrier = {.passed = FALSE};

    g_mutex_init(&barrier.lock);
    g_cond_init(&barrier.cond);
    g_source_set_priority(source, G_PRIORITY_LOW);
    g_source_set_callback(source, pass, &barrier, NULL);
    g_source_attach(source, loop.context);
    g_mutex_lock(&barrier.lock);
    while (!barrier.passed)
        g_cond_wait(&barrier.cond, &barrier.lock);
    g_mutex_unlock(&barrier.lock);
    g_cond_clear(&barrier.cond);
    g_mutex_clear(&barrier.lock);
}

void nest_libvirt_loop_stop(void)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&loop.control);

    wait_for_callbacks();
    if (--loop.users > 0)
        return;
    g_atomic_int_set(&loop.stopping, TRUE);
    g_main_context_wakeup(loop.context);
    g_thread_join(g_steal_pointer(&loop.thread));
}
