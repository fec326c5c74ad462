/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-marks.h"

/* What is known of one run of a VM. */
typedef struct {
    int number;
    NestAnswer exposed;
    char *started_as;
} Run;

struct NestMarks {
    GMutex lock;
    NestStore *store;
    NestTrust trust;
    GHashTable *stored; /* uuid → NestStoredMark */
    GHashTable *activities; /* uuid → NestActivity */
    GHashTable *runs; /* uuid → Run */
};

static void free_run(gpointer data)
{
    Run *run = data;
    g_free(run->started_as);
    g_free(run);
}

static void free_stored(gpointer mark)
{
    nest_stored_mark_free(mark);
}

NestMarks *nest_marks_load(NestStore *store, NestTrust trust, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    if (!nest_store_marks(store, &all, error))
        return NULL;
    NestMarks *marks = g_new0(NestMarks, 1);
    g_mutex_init(&marks->lock);
    marks->store = store;
    marks->trust = trust;
    marks->stored = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_stored);
    marks->activities = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    marks->runs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_run);
    for (guint i = 0; i < all->len; i++)
        nest_marks_put(marks, g_ptr_array_index(all, i));
    return marks;
}

void nest_marks_free(NestMarks *marks)
{
    if (marks == NULL)
        return;
    g_hash_table_unref(marks->stored);
    g_hash_table_unref(marks->activities);
    g_hash_table_unref(marks->runs);
    g_mutex_clear(&marks->lock);
    g_free(marks);
}

NestVmMarks *nest_marks_get(NestMarks *marks, const char *uuid)
{
    NestVmMarks *copy = g_new0(NestVmMarks, 1);
    if (marks == NULL)
        return copy;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    const NestStoredMark *stored = g_hash_table_lookup(marks->stored, uuid);
    copy->trust = stored != NULL && stored->labelled ? stored->trust : marks->trust;
    copy->activity = GPOINTER_TO_INT(g_hash_table_lookup(marks->activities, uuid));
    const Run *run = g_hash_table_lookup(marks->runs, uuid);
    copy->run = run != NULL ? run->number : -1;
    copy->exposed = run != NULL ? run->exposed : NEST_ANSWER_UNREAD;
    copy->started_as = run != NULL ? g_strdup(run->started_as) : NULL;
    if (stored == NULL)
        return copy;
    copy->guarded = stored->guarded;
    copy->left_as = g_strdup(stored->left_as);
    copy->fresh = stored->fresh;
    copy->open = g_strdup(stored->open);
    copy->saved = g_strdup(stored->saved);
    return copy;
}

NestStoredMark *nest_marks_get_stored(NestMarks *marks, const char *uuid)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker =
        marks != NULL ? g_mutex_locker_new(&marks->lock) : NULL;
    const NestStoredMark *stored = marks != NULL ? g_hash_table_lookup(marks->stored, uuid) : NULL;
    return stored != NULL ? nest_store_mark_copy(stored) : nest_store_mark_new(uuid);
}

gboolean nest_marks_distrust(NestMarks *marks)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    GHashTableIter iter;
    gpointer mark;
    g_hash_table_iter_init(&iter, marks->stored);
    while (g_hash_table_iter_next(&iter, NULL, &mark))
        if (((NestStoredMark *)mark)->labelled &&
            ((NestStoredMark *)mark)->trust == NEST_TRUST_UNTRUSTED)
            return TRUE;
    return marks->trust == NEST_TRUST_UNTRUSTED;
}

void nest_marks_put(NestMarks *marks, const NestStoredMark *mark)
{
    NestStoredMark *copy = nest_store_mark_copy(mark);
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    g_hash_table_replace(marks->stored, copy->uuid, copy);
}

gboolean nest_marks_started(NestMarks *marks, const char *uuid)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    NestStoredMark *stored = g_hash_table_lookup(marks->stored, uuid);
    gboolean fresh = stored != NULL && stored->fresh;
    if (fresh)
        stored->fresh = FALSE;
    return fresh;
}

void nest_marks_set_activity(NestMarks *marks, const char *uuid, NestActivity activity)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    if (activity == NEST_ACTIVITY_NONE)
        g_hash_table_remove(marks->activities, uuid);
    else
        g_hash_table_replace(marks->activities, g_strdup(uuid), GINT_TO_POINTER(activity));
}

/* With the lock held. */
static Run *run_of(NestMarks *marks, const char *uuid, int number)
{
    Run *run = g_hash_table_lookup(marks->runs, uuid);
    if (run != NULL && run->number == number)
        return run;
    run = g_new0(Run, 1);
    run->number = number;
    g_hash_table_replace(marks->runs, g_strdup(uuid), run);
    return run;
}

void nest_marks_set_exposed(NestMarks *marks, const char *uuid, int run, NestAnswer exposed)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    if (run >= 0 && exposed != NEST_ANSWER_UNREAD)
        run_of(marks, uuid, run)->exposed = exposed;
}

void nest_marks_set_started(NestMarks *marks, const char *uuid, int run, const char *fingerprint)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    Run *started = run_of(marks, uuid, run);
    g_free(started->started_as);
    started->started_as = g_strdup(fingerprint);
}

void nest_marks_forget_run(NestMarks *marks, const char *uuid)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&marks->lock);
    g_hash_table_remove(marks->runs, uuid);
}

gboolean nest_marks_set_trust(
    NestMarks *marks, const char *uuid, gboolean labelled, NestTrust trust, GError **error)
{
    g_autoptr(NestStoredMark) mark = nest_marks_get_stored(marks, uuid);
    mark->labelled = labelled;
    mark->trust = trust;
    if (!nest_store_put_mark(marks->store, mark, NULL, error))
        return FALSE;
    nest_marks_put(marks, mark);
    return TRUE;
}
