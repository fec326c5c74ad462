/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-sql.h"
#include "nest-error.h"
#include <errno.h>
#include <string.h>

typedef struct {
    int code;
    NestErrorCode error;
    const char *what;
    const char *next;
} FailureRow;

static const FailureRow failures[] = {
    {SQLITE_FULL, NEST_ERROR_STORE_FULL, "there is no space left for it",
        "free space on its file system; nestd goes on by itself"},
    {SQLITE_READONLY, NEST_ERROR_STORE_FULL, "it is read-only",
        "make its file system writable; nestd goes on by itself"},
    {SQLITE_CORRUPT, NEST_ERROR_STORE, "it is damaged", NEST_SQL_MOVE_ASIDE},
    {SQLITE_NOTADB, NEST_ERROR_STORE, "it is not a database", NEST_SQL_MOVE_ASIDE},
    {SQLITE_BUSY, NEST_ERROR_STORE, "another program keeps it locked",
        "close the program that has it open"},
};

static const char *path_of(sqlite3 *db)
{
    const char *path = db != NULL ? sqlite3_db_filename(db, "main") : NULL;
    return path != NULL ? path : "nestd.db";
}

/* The number of the failed call. sqlite3_system_errno() is errno as it was after cleaning up; the
 * file itself remembers better, but for the shared memory of the WAL. */
static int system_number(sqlite3 *db)
{
    int code = sqlite3_extended_errcode(db), number = 0;
    gboolean shared = code == SQLITE_IOERR_SHMOPEN || code == SQLITE_IOERR_SHMSIZE ||
        code == SQLITE_IOERR_SHMLOCK || code == SQLITE_IOERR_SHMMAP;
    if ((code & 0xff) != SQLITE_IOERR || shared)
        return sqlite3_system_errno(db);
    sqlite3_file *log = NULL;
    sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    if (number == 0)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
    return number != 0 ? number : sqlite3_system_errno(db);
}

static gboolean fail_system(sqlite3 *db, GError **error)
{
    int number = system_number(db);
    gboolean full = number == ENOSPC || number == EDQUOT || number == EROFS;
    const char *next = full ? "make its file system writable and free space on it; nestd goes on "
                              "by itself"
                            : "look for errors of the disk in the kernel's log";
    nest_set_error(error, full ? NEST_ERROR_STORE_FULL : NEST_ERROR_STORE, next,
        "the database %s can't be used: %s (%s)", path_of(db),
        number != 0 ? g_strerror(number) : "input or output failed", sqlite3_errmsg(db));
    return FALSE;
}

gboolean nest_sql_fail(sqlite3 *db, GError **error)
{
    int code = sqlite3_errcode(db) & 0xff;
    if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
        return fail_system(db, error);
    for (guint i = 0; i < G_N_ELEMENTS(failures); i++) {
        const FailureRow *row = &failures[i];
        if (row->code != code)
            continue;
        nest_set_error(error, row->error, row->next, "the database %s can't be used: %s (%s)",
            path_of(db), row->what, sqlite3_errmsg(db));
        return FALSE;
    }
    nest_set_error(error, NEST_ERROR_STORE, NULL, "the database %s can't be used: %s", path_of(db),
        sqlite3_errmsg(db));
    return FALSE;
}

sqlite3 *nest_sql_open(const char *path, GError **error)
{
    g_autoptr(sqlite3) db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        nest_sql_fail(db, error);
        return NULL;
    }
    return g_steal_pointer(&db);
}

gboolean nest_sql_exec(sqlite3 *db, const char *sql, GError **error)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return nest_sql_fail(db, error);
    return TRUE;
}

static gboolean bind(sqlite3_stmt *statement, const NestSqlValue *values, GError **error)
{
    for (int i = 0; values != NULL && values[i].type != NEST_SQL_END; i++) {
        int code = values[i].type == NEST_SQL_INT
            ? sqlite3_bind_int64(statement, i + 1, values[i].number)
            : sqlite3_bind_text(statement, i + 1, values[i].text, -1, SQLITE_STATIC);
        if (code != SQLITE_OK)
            return nest_sql_fail(sqlite3_db_handle(statement), error);
    }
    return TRUE;
}

sqlite3_stmt *nest_sql_query(
    sqlite3 *db, const char *sql, const NestSqlValue *values, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        nest_sql_fail(db, error);
        return NULL;
    }
    return bind(statement, values, error) ? g_steal_pointer(&statement) : NULL;
}

gboolean nest_sql_step(sqlite3_stmt *statement, gboolean *ret_row, GError **error)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return nest_sql_fail(sqlite3_db_handle(statement), error);
    *ret_row = code == SQLITE_ROW;
    return TRUE;
}

gboolean nest_sql_run(sqlite3_stmt *statement, const NestSqlValue *values, GError **error)
{
    gboolean row = TRUE;
    if (!bind(statement, values, error))
        return FALSE;
    while (row)
        if (!nest_sql_step(statement, &row, error))
            return FALSE;
    sqlite3_reset(statement);
    return TRUE;
}

gboolean nest_sql_do(sqlite3 *db, const char *sql, const NestSqlValue *values, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = nest_sql_query(db, sql, NULL, error);
    return statement != NULL && nest_sql_run(statement, values, error);
}

gboolean nest_sql_int(sqlite3 *db, const char *sql, const NestSqlValue *values, gint64 fallback,
    gint64 *ret_value, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = nest_sql_query(db, sql, values, error);
    gboolean row = FALSE;
    if (statement == NULL || !nest_sql_step(statement, &row, error))
        return FALSE;
    gboolean found = row && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    *ret_value = found ? sqlite3_column_int64(statement, 0) : fallback;
    return TRUE;
}

char *nest_sql_text(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return NULL;
    /* As a blob, because as a text SQLite would copy it once more to add the NUL. */
    const void *bytes = sqlite3_column_blob(statement, column);
    gsize length = sqlite3_column_bytes(statement, column);
    char *text = g_malloc(length + 1);
    if (length > 0)
        memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

gboolean nest_sql_begin(NestSqlTxn *txn, sqlite3 *db, GError **error)
{
    if (!nest_sql_exec(db, "BEGIN IMMEDIATE", error))
        return FALSE;
    txn->db = db;
    return TRUE;
}

gboolean nest_sql_commit(NestSqlTxn *txn, GError **error)
{
    if (!nest_sql_exec(txn->db, "COMMIT", error))
        return FALSE;
    txn->db = NULL;
    return TRUE;
}

void nest_sql_rollback(NestSqlTxn *txn)
{
    /* SQLite has rolled back by itself after some errors. */
    if (txn->db != NULL && !sqlite3_get_autocommit(txn->db))
        sqlite3_exec(txn->db, "ROLLBACK", NULL, NULL, NULL);
    txn->db = NULL;
}
