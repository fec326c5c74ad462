/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-sql.h"
#include "nest-store.h"

#define NEST_STORE_APPLICATION_ID 0x4e657374

struct NestStore {
    int lock; /* descriptor that holds the lock of the directory */
    sqlite3 *writer; /* with write_lock */
    sqlite3 *reader; /* with read_lock */
    GMutex write_lock;
    GMutex read_lock;
    NestStoreNotify notify;
    gpointer notify_data;
};

/* Milliseconds since 1970. */
gint64 nest_store_now(void);

/* Runs work in one transaction of the writer, and commits it. work must leave what the caller
 * gave alone; results are taken from data once this has returned TRUE. */
typedef gboolean (*NestStoreWork)(sqlite3 *db, gpointer data, GError **error);
gboolean nest_store_write(NestStore *store, NestStoreWork work, gpointer data, GError **error);

/* Tells the listener that events were committed. Hold no lock. */
void nest_store_notify(NestStore *store);

/* Adds the current row to an array. */
typedef gboolean (*NestStoreAdd)(GPtrArray *array, sqlite3_stmt *row, GError **error);

/* Reads all rows of a query with the reader into a new array. */
gboolean nest_store_list(NestStore *store, const char *sql, const NestSqlValue *values,
    NestStoreAdd add, GDestroyNotify free_element, GPtrArray **ret_array, GError **error);

/* ---- files ---- */

/* Makes the directory (0700) where it is missing, refuses one others can write to. */
gboolean nest_store_directory(const char *directory, GError **error);

/* Takes the lock of the directory; -1 on failure. Closing the descriptor gives it back. */
int nest_store_lock(const char *directory, GError **error);

/* A new, empty file of mode 0600; one that is there is replaced. */
gboolean nest_store_new_file(const char *path, GError **error);

/* Gives a complete file its final name, and both to the disk. */
gboolean nest_store_publish(const char *from, const char *to, GError **error);

/* What the first bytes of an existing database say, before SQLite touches it. */
gboolean nest_store_check_file(const char *path, guint newest, GError **error);

/* Refuses what is not of nestd, or of a newer one. */
gboolean nest_store_check_identity(
    const char *path, gint64 application, gint64 version, guint newest, GError **error);

/* ---- migrations ---- */

/* Applies what version lacks of migrations, each in a transaction. */
gboolean nest_store_migrate(
    sqlite3 *db, const char *const *migrations, gint64 version, GError **error);

/* ---- rows used by several nouns ---- */

/* Appends events (NULL for none) inside a transaction. *ret_first is the id of the first; ids
 * follow each other. The events are not changed. */
gboolean nest_store_insert_events(
    sqlite3 *db, const GPtrArray *events, gint64 now, gint64 *ret_first, GError **error);

/* Puts mark inside a transaction; one of defaults is removed. */
gboolean nest_store_write_mark(sqlite3 *db, const NestStoredMark *mark, GError **error);

/* Sets ids and times once that is committed. */
void nest_store_number_events(GPtrArray *events, gint64 now, gint64 first);
