/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record.h"
#include "nest-store-private.h"

typedef struct {
    const GPtrArray *events;
    gint64 now;
    gint64 first;
} Batch;

gboolean nest_store_insert_events(
    sqlite3 *db, const GPtrArray *events, gint64 now, gint64 *ret_first, GError **error)
{
    if (events == NULL || events->len == 0)
        return TRUE;
    g_autoptr(sqlite3_stmt) insert = nest_sql_query(db,
        "INSERT INTO event (time, kind, uuid, name, operation, message) VALUES (?, ?, ?, ?, ?, ?)",
        NULL, error);
    if (insert == NULL)
        return FALSE;
    for (guint i = 0; i < events->len; i++) {
        const NestEvent *event = g_ptr_array_index(events, i);
        if (!nest_sql_run(insert,
                NEST_SQL(INT(now), TEXT(event->kind), TEXT(event->uuid), TEXT(event->name),
                    INT(event->operation), TEXT(event->message)),
                error))
            return FALSE;
    }
    /* AUTOINCREMENT counts on without gaps within a transaction. */
    *ret_first = sqlite3_last_insert_rowid(db) - events->len + 1;
    return TRUE;
}

void nest_store_number_events(GPtrArray *events, gint64 now, gint64 first)
{
    for (guint i = 0; events != NULL && i < events->len; i++) {
        NestEvent *event = g_ptr_array_index(events, i);
        event->id = first + i;
        event->time = now;
    }
}

static gboolean append(sqlite3 *db, gpointer data, GError **error)
{
    Batch *batch = data;
    return nest_store_insert_events(db, batch->events, batch->now, &batch->first, error);
}

gboolean nest_store_add_events(NestStore *store, GPtrArray *events, GError **error)
{
    Batch batch = {events, nest_store_now(), 0};
    if (events->len == 0)
        return TRUE;
    if (!nest_store_write(store, append, &batch, error))
        return FALSE;
    nest_store_number_events(events, batch.now, batch.first);
    nest_store_notify(store);
    return TRUE;
}

static void free_event(gpointer event)
{
    nest_event_free(event);
}

static gboolean add_event(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    NestEvent *event = nest_record_new(&nest_event_record);
    event->id = sqlite3_column_int64(row, 0);
    event->time = sqlite3_column_int64(row, 1);
    event->kind = nest_sql_text(row, 2);
    event->uuid = nest_sql_text(row, 3);
    event->name = nest_sql_text(row, 4);
    event->operation = sqlite3_column_int64(row, 5);
    event->message = nest_sql_text(row, 6);
    g_ptr_array_add(array, event);
    return TRUE;
}

gboolean nest_store_events(
    NestStore *store, gint64 after, guint limit, GPtrArray **ret_events, GError **error)
{
    return nest_store_list(store,
        "SELECT id, time, kind, uuid, name, operation, message FROM event"
        " WHERE id > ? ORDER BY id LIMIT ?",
        NEST_SQL(INT(after), INT(limit)), add_event, free_event, ret_events, error);
}

gboolean nest_store_last_event(NestStore *store, gint64 *ret_id, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->read_lock);
    return nest_sql_int(store->reader, "SELECT seq FROM sqlite_sequence WHERE name = 'event'", NULL,
        0, ret_id, error);
}
