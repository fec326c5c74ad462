/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-private.h"
#include <string.h>

typedef struct {
    const GPtrArray *changed;
    const char *const *gone;
    const GPtrArray *events;
    gint64 now;
    gint64 first;
} Sync;

void nest_stored_vm_free(NestStoredVm *vm)
{
    if (vm == NULL)
        return;
    g_free(vm->uuid);
    g_free(vm->name);
    g_free(vm->text);
    g_free(vm->summary);
    g_free(vm->state);
    g_free(vm->revision);
    g_free(vm);
}

static void free_vm(gpointer vm)
{
    nest_stored_vm_free(vm);
}

static gboolean add_vm(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    NestStoredVm *vm = g_new0(NestStoredVm, 1);
    vm->uuid = nest_sql_text(row, 0);
    vm->name = nest_sql_text(row, 1);
    vm->summary = nest_sql_text(row, 2);
    vm->state = nest_sql_text(row, 3);
    vm->revision = nest_sql_text(row, 4);
    g_ptr_array_add(array, vm);
    return TRUE;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    const NestStoredVm *left = *(NestStoredVm *const *)a, *right = *(NestStoredVm *const *)b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->uuid, right->uuid);
}

gboolean nest_store_vms(NestStore *store, GPtrArray **ret_vms, GError **error)
{
    /* Sorted here: SQLite would carry the summaries through its sorter. */
    g_autoptr(GPtrArray) vms = NULL;
    if (!nest_store_list(store, "SELECT uuid, name, summary, state, revision FROM vm", NULL, add_vm,
            free_vm, &vms, error))
        return FALSE;
    g_ptr_array_sort(vms, by_name);
    *ret_vms = g_steal_pointer(&vms);
    return TRUE;
}

gboolean nest_store_vm_text(NestStore *store, const char *uuid, char **ret_text, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->read_lock);
    g_autoptr(sqlite3_stmt) query = nest_sql_query(
        store->reader, "SELECT text FROM vm_text WHERE uuid = ?", NEST_SQL(TEXT(uuid)), error);
    gboolean row = FALSE;
    if (query == NULL || !nest_sql_step(query, &row, error))
        return FALSE;
    *ret_text = row ? nest_sql_text(query, 0) : NULL;
    return TRUE;
}

static gboolean put_vms(sqlite3 *db, const GPtrArray *changed, GError **error)
{
    g_autoptr(sqlite3_stmt) put = nest_sql_query(db,
        "INSERT INTO vm (uuid, name, summary, state, revision) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, summary = excluded.summary,"
        " state = excluded.state, revision = excluded.revision",
        NULL, error);
    g_autoptr(sqlite3_stmt) put_text = nest_sql_query(db,
        "INSERT INTO vm_text (uuid, text) VALUES (?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET text = excluded.text",
        NULL, put != NULL ? error : NULL);
    if (put == NULL || put_text == NULL)
        return FALSE;
    for (guint i = 0; changed != NULL && i < changed->len; i++) {
        const NestStoredVm *vm = g_ptr_array_index(changed, i);
        if (!nest_sql_run(put,
                NEST_SQL(TEXT(vm->uuid), TEXT(vm->name), TEXT(vm->summary), TEXT(vm->state),
                    TEXT(vm->revision)),
                error) ||
            !nest_sql_run(put_text, NEST_SQL(TEXT(vm->uuid), TEXT(vm->text)), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean forget_vms(sqlite3 *db, const char *const *gone, GError **error)
{
    for (; gone != NULL && *gone != NULL; gone++)
        if (!nest_sql_do(db, "DELETE FROM vm WHERE uuid = ?", NEST_SQL(TEXT(*gone)), error))
            return FALSE;
    return TRUE;
}

static gboolean sync_all(sqlite3 *db, gpointer data, GError **error)
{
    Sync *sync = data;
    return forget_vms(db, sync->gone, error) && put_vms(db, sync->changed, error) &&
        nest_store_insert_events(db, sync->events, sync->now, &sync->first, error);
}

gboolean nest_store_sync_vms(NestStore *store, const GPtrArray *changed, const char *const *gone,
    GPtrArray *events, GError **error)
{
    Sync sync = {changed, gone, events, nest_store_now(), 0};
    if (!nest_store_write(store, sync_all, &sync, error))
        return FALSE;
    if (events != NULL && events->len > 0) {
        nest_store_number_events(events, sync.now, sync.first);
        nest_store_notify(store);
    }
    return TRUE;
}
