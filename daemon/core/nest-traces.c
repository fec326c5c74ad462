/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-traces.h"
#include "nest-agent-shape.h"
#include "nest-codec.h"
#include <string.h>

#define PREFIX "trace-"

typedef struct {
    NestTrace *trace;
    gboolean left;
    guint tries;
} Entry;

struct NestTraces {
    GMutex lock;
    NestStore *store;
    NestTracesNotify notify;
    gpointer user_data;
    GHashTable *entries; /* path → Entry; guarded */
};

static const NestField trace_fields[] = {
    ROW(NestTrace, uuid, "uuid", STRING, REQUIRED, NULL),
    ROW(NestTrace, path, "path", STRING, REQUIRED, NULL),
    ROW(NestTrace, windows, "windows", BOOL, REQUIRED, NULL),
    ROW(NestTrace, command, "command", BOOL, REQUIRED, NULL),
};
SHAPE(trace, NestTrace, "trace");

void nest_trace_free(NestTrace *trace)
{
    nest_record_free(&trace_record, trace);
}

static void free_trace(gpointer trace)
{
    nest_trace_free(trace);
}

static void free_entry(gpointer data)
{
    Entry *entry = data;
    nest_trace_free(entry->trace);
    g_free(entry);
}

/* Takes trace. With the lock held. */
static void add(NestTraces *traces, NestTrace *trace, gboolean left)
{
    Entry *entry = g_new0(Entry, 1);
    entry->trace = trace;
    entry->left = left;
    g_hash_table_replace(traces->entries, trace->path, entry);
}

NestTraces *nest_traces_load(
    NestStore *store, NestTracesNotify notify, gpointer user_data, GError **error)
{
    g_autoptr(GPtrArray) texts = NULL;
    if (!nest_store_settings(store, PREFIX, &texts, error))
        return NULL;
    NestTraces *traces = g_new0(NestTraces, 1);
    g_mutex_init(&traces->lock);
    traces->store = store;
    traces->notify = notify;
    traces->user_data = user_data;
    traces->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_entry);
    for (guint i = 0; i < texts->len; i++) {
        NestTrace *trace = nest_codec_from_text(
            &trace_record, g_ptr_array_index(texts, i), -1, NEST_CODEC_LENIENT, NULL);
        if (trace != NULL)
            add(traces, trace, TRUE);
    }
    return traces;
}

void nest_traces_free(NestTraces *traces)
{
    if (traces == NULL)
        return;
    g_hash_table_unref(traces->entries);
    g_mutex_clear(&traces->lock);
    g_free(traces);
}

static char *key_of(const char *path)
{
    const char *mark = strrchr(path, '-');
    return g_strconcat(PREFIX, mark != NULL ? mark + 1 : path, NULL);
}

gboolean nest_traces_begin(NestTraces *traces, const NestTrace *trace, GError **error)
{
    if (traces == NULL)
        return TRUE;
    g_autofree char *key = key_of(trace->path);
    g_autofree char *text = nest_codec_to_text(&trace_record, trace);
    if (!nest_store_set_setting(traces->store, key, text, error))
        return FALSE;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&traces->lock);
    add(traces, nest_record_copy(&trace_record, trace), FALSE);
    return TRUE;
}

/* One that is not forgotten is looked for in vain by the next nestd. */
static void forget(NestTraces *traces, const char *path)
{
    g_autofree char *key = key_of(path);
    g_autoptr(GError) error = NULL;
    if (!nest_store_set_setting(traces->store, key, NULL, &error))
        g_warning("that %s is not in a guest any more is not stored: %s", path, error->message);
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&traces->lock);
    g_hash_table_remove(traces->entries, path);
}

static void leave(NestTraces *traces, const char *path)
{
    g_mutex_lock(&traces->lock);
    Entry *entry = g_hash_table_lookup(traces->entries, path);
    if (entry != NULL)
        entry->left = TRUE;
    g_mutex_unlock(&traces->lock);
    traces->notify(traces->user_data);
}

void nest_traces_end(NestTraces *traces, const char *path, gboolean gone)
{
    if (traces == NULL)
        return;
    if (gone)
        forget(traces, path);
    else
        leave(traces, path);
}

GPtrArray *nest_traces_left(NestTraces *traces)
{
    GPtrArray *left = g_ptr_array_new_with_free_func(free_trace);
    GHashTableIter iter;
    gpointer data;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&traces->lock);
    g_hash_table_iter_init(&iter, traces->entries);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const Entry *entry = data;
        if (entry->left)
            g_ptr_array_add(left, nest_record_copy(&trace_record, entry->trace));
    }
    return left;
}

guint nest_traces_tried(NestTraces *traces, const char *path)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&traces->lock);
    Entry *entry = g_hash_table_lookup(traces->entries, path);
    return entry != NULL ? ++entry->tries : 0;
}
