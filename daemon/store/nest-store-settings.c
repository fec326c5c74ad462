/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-private.h"

typedef struct {
    const char *key;
    const char *value;
} Setting;

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

static gboolean put_setting(sqlite3 *db, gpointer data, GError **error)
{
    const Setting *setting = data;
    if (setting->value == NULL)
        return nest_sql_do(
            db, "DELETE FROM setting WHERE key = ?", NEST_SQL(TEXT(setting->key)), error);
    return nest_sql_do(db,
        "INSERT INTO setting (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        NEST_SQL(TEXT(setting->key), TEXT(setting->value)), error);
}

gboolean nest_store_set_setting(
    NestStore *store, const char *key, const char *value, GError **error)
{
    Setting setting = {key, value};
    return nest_store_write(store, put_setting, &setting, error);
}
