/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-private.h"

typedef struct {
    const NestStoreSetting *settings;
    const GPtrArray *events; /* nullable */
    gint64 now, first;
} Note;

gboolean nest_store_get_setting(NestStore *store, const char *key, char **ret_value, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->read_lock);
    g_autoptr(sqlite3_stmt) query = nest_sql_query(
        store->reader, "SELECT value FROM setting WHERE key = ?", NEST_SQL(TEXT(key)), error);
    gboolean row = FALSE;
    if (query == NULL || !nest_sql_step(query, &row, error))
        return FALSE;
    *ret_value = row ? nest_sql_text(query, 0) : NULL;
    return TRUE;
}

static gboolean put_setting(sqlite3 *db, const NestStoreSetting *setting, GError **error)
{
    if (setting->value == NULL)
        return nest_sql_do(
            db, "DELETE FROM setting WHERE key = ?", NEST_SQL(TEXT(setting->key)), error);
    return nest_sql_do(db,
        "INSERT INTO setting (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        NEST_SQL(TEXT(setting->key), TEXT(setting->value)), error);
}

static gboolean put_note(sqlite3 *db, gpointer data, GError **error)
{
    Note *note = data;
    for (const NestStoreSetting *setting = note->settings; setting->key != NULL; setting++)
        if (!put_setting(db, setting, error))
            return FALSE;
    return nest_store_insert_events(db, note->events, note->now, &note->first, error);
}

gboolean nest_store_note(
    NestStore *store, const NestStoreSetting *settings, GPtrArray *events, GError **error)
{
    Note note = {settings, events, nest_store_now(), 0};
    if (!nest_store_write(store, put_note, &note, error))
        return FALSE;
    nest_store_number_events(events, note.now, note.first);
    if (events != NULL && events->len > 0)
        nest_store_notify(store);
    return TRUE;
}

gboolean nest_store_set_setting(
    NestStore *store, const char *key, const char *value, GError **error)
{
    const NestStoreSetting settings[] = {{key, value}, {NULL, NULL}};
    return nest_store_note(store, settings, NULL, error);
}

static gboolean add_value(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    g_ptr_array_add(array, nest_sql_text(row, 0));
    return TRUE;
}

gboolean nest_store_settings(
    NestStore *store, const char *prefix, GPtrArray **ret_values, GError **error)
{
    return nest_store_list(store,
        "SELECT value FROM setting WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
        NEST_SQL(TEXT(prefix)), add_value, g_free, ret_values, error);
}
