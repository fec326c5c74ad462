/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>
#include <sqlite3.h>

/* SQLite with GError and automatic cleanup. Errors are NEST_ERROR_STORE or
 * NEST_ERROR_STORE_FULL and name the database file. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, sqlite3_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* What to do about a damaged or foreign database. */
#define NEST_SQL_MOVE_ASIDE \
    "restore a backup, or move it aside together with its -wal and -shm files and start nestd " \
    "again: the virtual machines are found anew, the history is lost"

/* A value to bind. Lists end with {NEST_SQL_END}; NEST_SQL() appends it. */
typedef struct {
    enum { NEST_SQL_END, NEST_SQL_INT, NEST_SQL_TEXT } type;
    gint64 number;
    const char *text; /* NULL binds NULL; must outlive the statement or the next bind */
} NestSqlValue;
#define NEST_SQL(...) ((const NestSqlValue[]){__VA_ARGS__, {NEST_SQL_END, 0, NULL}})
#define INT(value) \
    { \
        NEST_SQL_INT, (value), NULL \
    }
#define TEXT(value) \
    { \
        NEST_SQL_TEXT, 0, (value) \
    }

/* Sets error from the last failure of db and returns FALSE. */
gboolean nest_sql_fail(sqlite3 *db, GError **error);

/* Opens an existing database; nothing is written yet. */
sqlite3 *nest_sql_open(const char *path, GError **error);

/* Runs one or more statements without values. */
gboolean nest_sql_exec(sqlite3 *db, const char *sql, GError **error);

/* Prepares a statement and binds values (NULL for none), to be stepped. */
sqlite3_stmt *nest_sql_query(
    sqlite3 *db, const char *sql, const NestSqlValue *values, GError **error);

/* Steps to the next row; *ret_row is FALSE where there is none. */
gboolean nest_sql_step(sqlite3_stmt *statement, gboolean *ret_row, GError **error);

/* Binds values, runs the statement to its end and resets it. */
gboolean nest_sql_run(sqlite3_stmt *statement, const NestSqlValue *values, GError **error);

/* The same with a statement used once. */
gboolean nest_sql_do(sqlite3 *db, const char *sql, const NestSqlValue *values, GError **error);

/* The first column of the first row; *ret_value is fallback where there is no row or it is NULL. */
gboolean nest_sql_int(sqlite3 *db, const char *sql, const NestSqlValue *values, gint64 fallback,
    gint64 *ret_value, GError **error);

/* A copy of a column, NULL for NULL. */
char *nest_sql_text(sqlite3_stmt *statement, int column);

/* A transaction that is rolled back when it goes out of scope, unless it was committed. */
typedef struct {
    sqlite3 *db;
} NestSqlTxn;
gboolean nest_sql_begin(NestSqlTxn *txn, sqlite3 *db, GError **error);
gboolean nest_sql_commit(NestSqlTxn *txn, GError **error);
void nest_sql_rollback(NestSqlTxn *txn);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestSqlTxn, nest_sql_rollback)
