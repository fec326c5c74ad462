/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-sampler.h"
#include "nest-error.h"

/* Between the two looks that show whether the counter grows. */
#define LOOK_AGAIN_US (200 * G_TIME_SPAN_MILLISECOND)
/* How long asking monitors may take in one round. */
#define MONITOR_BUDGET_US (2 * G_USEC_PER_SEC)
/* So many rounds may fail before what was known of VMs is too old. */
#define FAILURES_MAX 2

typedef struct {
    NestActivityMemory memory;
    gboolean hidden; /* what runs has no extension, by its definition */
    gint64 told; /* when that was read, µs; 0: not of this run */
    gint64 touched; /* µs */
    gint64 asked; /* when the monitor was, µs; 0 never */
    NestActivity reported; /* by the last round */
    gboolean hosting; /* what was last told by an event */
} Vm;

struct NestSampler {
    NestBackend *backend;
    NestMarks *marks;
    gint64 monitor_us; /* how often the monitor is asked; 0: never */
    GMutex lock; /* of what follows; not held while the backend is called */
    GHashTable *vms; /* uuid → Vm */
    guint failures; /* of rounds, in a row */
};

NestSampler *nest_sampler_new(NestBackend *backend, NestMarks *marks, guint monitor_seconds)
{
    NestSampler *sampler = g_new0(NestSampler, 1);
    sampler->backend = backend;
    sampler->marks = marks;
    sampler->monitor_us = monitor_seconds * G_USEC_PER_SEC;
    sampler->vms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&sampler->lock);
    return sampler;
}

void nest_sampler_free(NestSampler *sampler)
{
    if (sampler == NULL)
        return;
    g_hash_table_unref(sampler->vms);
    g_mutex_clear(&sampler->lock);
    g_free(sampler);
}

static Vm *vm_of(NestSampler *sampler, const char *uuid)
{
    Vm *vm = g_hash_table_lookup(sampler->vms, uuid);
    if (vm == NULL) {
        vm = g_new0(Vm, 1);
        g_hash_table_insert(sampler->vms, g_strdup(uuid), vm);
    }
    vm->touched = g_get_monotonic_time();
    return vm;
}

void nest_sampler_recall(NestSampler *sampler, const char *uuid, NestActivity activity)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sampler->lock);
    Vm *vm = vm_of(sampler, uuid);
    vm->reported = activity;
    vm->hosting = activity == NEST_ACTIVITY_HOSTING;
}

void nest_sampler_tell(NestSampler *sampler, const NestVmView *view)
{
    if (sampler == NULL || view->facts->live_xml == NULL)
        return;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sampler->lock);
    Vm *vm = vm_of(sampler, view->facts->uuid);
    vm->hidden = !nest_vm_view_exposed(view);
    vm->told = vm->touched;
}

/* With the lock held. */
static NestActivity feed(NestSampler *sampler, const NestVmSample *sample)
{
    Vm *vm = vm_of(sampler, sample->uuid);
    if (vm->memory.begun && vm->memory.run != sample->run && vm->told <= vm->memory.seen) {
        vm->hidden = FALSE; /* that was of another CPU */
        vm->told = 0;
    }
    NestActivity activity = nest_activity_judge(&vm->memory, sample, !vm->hidden);
    nest_marks_set_activity(sampler->marks, sample->uuid, activity);
    if (sample->asked)
        nest_marks_set_exposed(sampler->marks, sample->uuid, sample->run, sample->exposed);
    return activity;
}

/* ---- all ---- */

static void note_change(GPtrArray *changes, const char *uuid, Vm *vm, NestActivity to)
{
    NestActivity from = vm->reported;
    const char *event = nest_activity_event(from, to, &vm->hosting);
    if (from == to && event == NULL)
        return;
    NestActivityChange *change = g_new(NestActivityChange, 1);
    *change = (NestActivityChange){.from = from, .to = to, .event = event};
    g_strlcpy(change->uuid, uuid, sizeof change->uuid);
    vm->reported = to;
    g_ptr_array_add(changes, change);
}

/* Compares all with what was reported, and forgets those that were not seen since began. */
static void report(NestSampler *sampler, gint64 began, GPtrArray *changes)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sampler->lock);
    GHashTableIter iter;
    gpointer uuid, data;
    g_hash_table_iter_init(&iter, sampler->vms);
    while (g_hash_table_iter_next(&iter, &uuid, &data)) {
        Vm *vm = data;
        if (vm->touched >= began) {
            note_change(changes, uuid, vm, vm->memory.activity);
            continue;
        }
        note_change(changes, uuid, vm, NEST_ACTIVITY_NONE);
        nest_marks_set_activity(sampler->marks, uuid, NEST_ACTIVITY_NONE);
        g_hash_table_iter_remove(&iter);
    }
}

static gboolean is_due(const Vm *vm, gint64 now, gint64 monitor_us)
{
    return vm->told != 0 && !vm->hidden && vm->memory.activity != NEST_ACTIVITY_HOSTING &&
        (vm->asked == 0 || now - vm->asked >= monitor_us);
}

static GPtrArray *take_due(NestSampler *sampler, gint64 now)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sampler->lock);
    GPtrArray *due = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer uuid, vm;
    g_hash_table_iter_init(&iter, sampler->vms);
    while (g_hash_table_iter_next(&iter, &uuid, &vm))
        if (is_due(vm, now, sampler->monitor_us))
            g_ptr_array_add(due, g_strdup(uuid));
    return due;
}

/* One look at one, with the monitor where that is wanted. */
static gboolean look_at(NestSampler *sampler, const char *uuid, gboolean monitor,
    NestActivity *ret_activity, gboolean *ret_counted, GError **error)
{
    g_autoptr(GPtrArray) samples = NULL;
    if (!sampler->backend->ops->sample(sampler->backend, uuid, monitor, &samples, error))
        return FALSE;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sampler->lock);
    const NestVmSample *sample = g_ptr_array_index(samples, 0);
    if (monitor)
        vm_of(sampler, uuid)->asked = g_get_monotonic_time();
    *ret_activity = feed(sampler, sample);
    *ret_counted = sample->counted;
    return TRUE;
}

/* Those that are not asked in time are due in the next round. */
static void ask_due(NestSampler *sampler)
{
    gint64 began = g_get_monotonic_time();
    g_autoptr(GPtrArray) due = take_due(sampler, began);
    NestActivity activity;
    gboolean counted;
    for (guint i = 0; i < due->len; i++) {
        if (g_get_monotonic_time() - began > MONITOR_BUDGET_US)
            return;
        look_at(sampler, g_ptr_array_index(due, i), TRUE, &activity, &counted, NULL);
    }
}

static void forget(gpointer uuid, gpointer data, gpointer user_data)
{
    NestSampler *sampler = user_data;
    Vm *vm = data;
    vm->memory.activity = NEST_ACTIVITY_UNKNOWN;
    nest_marks_set_activity(sampler->marks, uuid, NEST_ACTIVITY_UNKNOWN);
}

static void note_failure(NestSampler *sampler)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sampler->lock);
    if (++sampler->failures >= FAILURES_MAX)
        g_hash_table_foreach(sampler->vms, forget, sampler);
}

gboolean nest_sampler_round(NestSampler *sampler, GPtrArray **ret_changes, GError **error)
{
    gint64 began = g_get_monotonic_time();
    g_autoptr(GPtrArray) samples = NULL;
    *ret_changes = g_ptr_array_new_with_free_func(g_free);
    if (!sampler->backend->ops->sample(sampler->backend, NULL, FALSE, &samples, error)) {
        note_failure(sampler);
        report(sampler, 0, *ret_changes);
        return FALSE;
    }
    g_mutex_lock(&sampler->lock);
    sampler->failures = 0;
    for (guint i = 0; i < samples->len; i++)
        feed(sampler, g_ptr_array_index(samples, i));
    g_mutex_unlock(&sampler->lock);
    if (sampler->monitor_us > 0)
        ask_due(sampler);
    report(sampler, began, *ret_changes);
    return TRUE;
}

/* ---- one, now ---- */

NestActivity nest_sampler_look(NestSampler *sampler, const NestVmView *view)
{
    const char *uuid = view->facts->uuid;
    NestActivity activity = NEST_ACTIVITY_UNKNOWN;
    gboolean counted = FALSE;
    g_autoptr(GError) error = NULL;
    if (view->facts->live_xml == NULL)
        return NEST_ACTIVITY_NONE;
    nest_sampler_tell(sampler, view);
    gboolean monitor = sampler->monitor_us > 0 && nest_vm_view_exposed(view);
    gboolean seen = look_at(sampler, uuid, monitor, &activity, &counted, &error);
    gboolean open = activity == NEST_ACTIVITY_UNKNOWN || activity == NEST_ACTIVITY_ARMED;
    if (seen && counted && open) {
        g_usleep(LOOK_AGAIN_US);
        seen = look_at(sampler, uuid, FALSE, &activity, &counted, &error);
    }
    if (seen)
        return activity;
    if (nest_error_code(error) == NEST_ERROR_VM_STATE)
        return NEST_ACTIVITY_NONE;
    nest_marks_set_activity(sampler->marks, uuid, NEST_ACTIVITY_UNKNOWN);
    return NEST_ACTIVITY_UNKNOWN;
}
