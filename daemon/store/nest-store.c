/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store.h"
#include "nest-error.h"
#include "nest-store-migrate.h"
#include "nest-store-private.h"
#include <glib/gstdio.h>
#include <sys/stat.h>

#define BUSY_MS 5000
/* A database up to this size is checked at every open (under 15 ms), a larger one only after an
 * unclean end. */
#define ALWAYS_CHECKED (8 * 1024 * 1024)

gint64 nest_store_now(void)
{
    return g_get_real_time() / 1000;
}

/* What is in a file from somewhere else must not run: no triggers, views or unsafe functions. */
static gboolean configure(sqlite3 *db, GError **error)
{
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        if (sqlite3_db_config(db, options[i].option, options[i].value, NULL) != SQLITE_OK)
            return nest_sql_fail(db, error);
    sqlite3_busy_timeout(db, BUSY_MS);
    return nest_sql_exec(db,
        "PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
        "PRAGMA journal_size_limit = 4194304",
        error);
}

static sqlite3 *connect(const char *path, GError **error)
{
    g_autoptr(sqlite3) db = nest_sql_open(path, error);
    return db != NULL && configure(db, error) ? g_steal_pointer(&db) : NULL;
}

static gboolean enter_wal(sqlite3 *db, const char *path, GError **error)
{
    /* Two steps: the first answers "wal" before it has committed that. */
    if (!nest_sql_exec(db, "PRAGMA journal_mode = WAL", error))
        return FALSE;
    g_autoptr(sqlite3_stmt) query = nest_sql_query(db, "PRAGMA journal_mode", NULL, error);
    gboolean row = FALSE;
    if (query == NULL || !nest_sql_step(query, &row, error))
        return FALSE;
    g_autofree char *mode = row ? nest_sql_text(query, 0) : NULL;
    if (g_strcmp0(mode, "wal") != 0) {
        nest_set_error(error, NEST_ERROR_STORE, "keep nestd's state on a local file system",
            "the file system of %s can't hold a write-ahead log", path);
        return FALSE;
    }
    return TRUE;
}

/* A new database gets its name once it is complete, so that an empty file under that name is
 * known to be damage. */
static gboolean create(const char *path, const char *const *migrations, GError **error)
{
    g_autofree char *partial = g_strconcat(path, ".new", NULL);
    if (!nest_store_new_file(partial, error))
        return FALSE;
    g_autoptr(sqlite3) db = connect(partial, error);
    /* No journal: a part of a file that is not yet named needs no way back. */
    if (db == NULL || !nest_sql_exec(db, "PRAGMA journal_mode = MEMORY", error) ||
        !nest_store_migrate(db, migrations, 0, error) || !enter_wal(db, partial, error))
        return FALSE;
    g_clear_pointer(&db, sqlite3_close);
    return nest_store_publish(partial, path, error);
}

static goffset size_of(const char *path, const char *suffix)
{
    g_autofree char *file = g_strconcat(path, suffix, NULL);
    struct stat status;
    return stat(file, &status) == 0 ? status.st_size : 0;
}

static gboolean check_pages(sqlite3 *db, const char *path, gboolean clean, GError **error)
{
    if (clean && size_of(path, "") > ALWAYS_CHECKED)
        return TRUE;
    g_autoptr(sqlite3_stmt) check = nest_sql_query(db, "PRAGMA quick_check(1)", NULL, error);
    gboolean row = FALSE;
    if (check == NULL || !nest_sql_step(check, &row, error))
        return FALSE;
    g_autofree char *result = row ? nest_sql_text(check, 0) : NULL;
    if (g_strcmp0(result, "ok") == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_STORE, NEST_SQL_MOVE_ASIDE, "the database %s is damaged: %s",
        path, result != NULL ? result : "it can't be checked");
    return FALSE;
}

static gboolean back_up(sqlite3 *db, const char *path, gint64 version, GError **error)
{
    g_autofree char *backup = g_strdup_printf("%s.v%" G_GINT64_FORMAT ".bak", path, version);
    g_autofree char *partial = g_strconcat(backup, ".new", NULL);
    return nest_store_new_file(partial, error) &&
        nest_sql_do(db, "VACUUM INTO ?", NEST_SQL(TEXT(partial)), error) &&
        nest_store_publish(partial, backup, error);
}

/* Nothing is written unless all that is there is sound and ours. */
static gboolean upgrade(
    sqlite3 *db, const char *path, const char *const *migrations, gboolean clean, GError **error)
{
    guint newest = g_strv_length((GStrv)migrations);
    gint64 application = 0, version = 0;
    /* Again, because the file's first bytes don't tell what is still in the WAL. */
    if (!nest_sql_int(db, "PRAGMA application_id", NULL, 0, &application, error) ||
        !nest_sql_int(db, "PRAGMA user_version", NULL, 0, &version, error) ||
        !nest_store_check_identity(path, application, version, newest, error) ||
        !check_pages(db, path, clean, error))
        return FALSE;
    if (version == newest)
        return TRUE;
    return back_up(db, path, version, error) && nest_store_migrate(db, migrations, version, error);
}

/* What was committed before an unclean end is in the WAL, and closing would write it into the
 * database and delete the WAL: not before the database is accepted. */
static void keep_wal(sqlite3 *db, gboolean keep)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

static gboolean open_writer(
    NestStore *store, const char *path, const char *const *migrations, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !create(path, migrations, error))
        return FALSE;
    if (!nest_store_check_file(path, g_strv_length((GStrv)migrations), error))
        return FALSE;
    gboolean clean = size_of(path, "-wal") == 0;
    sqlite3 *db = store->writer = connect(path, error);
    if (db == NULL)
        return FALSE;
    keep_wal(db, !clean);
    if (!upgrade(db, path, migrations, clean, error) || !enter_wal(db, path, error) ||
        !nest_sql_exec(db, "PRAGMA foreign_keys = ON", error))
        return FALSE;
    keep_wal(db, FALSE);
    return TRUE;
}

static gboolean open_reader(NestStore *store, const char *path, GError **error)
{
    store->reader = connect(path, error);
    return store->reader != NULL && nest_sql_exec(store->reader, "PRAGMA query_only = ON", error);
}

NestStore *nest_store_open_with(
    const char *directory, const char *const *migrations, GError **error)
{
    if (!nest_store_directory(directory, error))
        return NULL;
    int lock = nest_store_lock(directory, error);
    if (lock < 0)
        return NULL;
    g_autoptr(NestStore) store = g_new0(NestStore, 1);
    store->lock = lock;
    g_mutex_init(&store->write_lock);
    g_mutex_init(&store->read_lock);
    g_autofree char *path = g_build_filename(directory, "nestd.db", NULL);
    if (!open_writer(store, path, migrations, error) || !open_reader(store, path, error))
        return NULL;
    return g_steal_pointer(&store);
}

NestStore *nest_store_open(const char *directory, GError **error)
{
    g_auto(GStrv) migrations = nest_store_migrations(error);
    if (migrations == NULL)
        return NULL;
    return nest_store_open_with(directory, (const char *const *)migrations, error);
}

void nest_store_close(NestStore *store)
{
    if (store == NULL)
        return;
    /* The writer last: it moves the WAL into the database. */
    sqlite3_close(store->reader);
    sqlite3_close(store->writer);
    g_close(store->lock, NULL);
    g_mutex_clear(&store->read_lock);
    g_mutex_clear(&store->write_lock);
    g_free(store);
}

void nest_store_set_notify(NestStore *store, NestStoreNotify notify, gpointer user_data)
{
    store->notify = notify;
    store->notify_data = user_data;
}

void nest_store_notify(NestStore *store)
{
    if (store->notify != NULL)
        store->notify(store->notify_data);
}

gboolean nest_store_write(NestStore *store, NestStoreWork work, gpointer data, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->write_lock);
    g_auto(NestSqlTxn) txn = {NULL};
    return nest_sql_begin(&txn, store->writer, error) && work(store->writer, data, error) &&
        nest_sql_commit(&txn, error);
}

gboolean nest_store_list(NestStore *store, const char *sql, const NestSqlValue *values,
    NestStoreAdd add, GDestroyNotify free_element, GPtrArray **ret_array, GError **error)
{
    g_autoptr(GPtrArray) array = g_ptr_array_new_with_free_func(free_element);
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->read_lock);
    g_autoptr(sqlite3_stmt) rows = nest_sql_query(store->reader, sql, values, error);
    gboolean row = TRUE;
    if (rows == NULL || !nest_sql_step(rows, &row, error))
        return FALSE;
    while (row)
        if (!add(array, rows, error) || !nest_sql_step(rows, &row, error))
            return FALSE;
    *ret_array = g_steal_pointer(&array);
    return TRUE;
}
