/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-migrate.h"
#include "nest-error.h"
#include "nest-store-private.h"
#include "nest-store-schema.h"

#define PREFIX "/org/nestd/store/migrations/"

GStrv nest_store_migrations(GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    GResource *schema = nest_store_schema_get_resource();
    g_auto(GStrv) names =
        g_resource_enumerate_children(schema, PREFIX, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
    if (names == NULL)
        return NULL;
    for (guint i = 1; i <= g_strv_length(names); i++) {
        g_autofree char *path = g_strdup_printf(PREFIX "%04u.sql", i);
        g_autoptr(GBytes) sql =
            g_resource_lookup_data(schema, path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
        if (sql == NULL)
            return NULL;
        g_strv_builder_add(builder, g_bytes_get_data(sql, NULL));
    }
    return g_strv_builder_end(builder);
}

static gboolean references_hold(sqlite3 *db, GError **error)
{
    g_autoptr(sqlite3_stmt) check = nest_sql_query(db, "PRAGMA foreign_key_check", NULL, error);
    gboolean row = FALSE;
    if (check == NULL || !nest_sql_step(check, &row, error))
        return FALSE;
    if (!row)
        return TRUE;
    g_autofree char *table = nest_sql_text(check, 0);
    nest_set_error(error, NEST_ERROR_STORE, NULL, "a row of table %s refers to nothing", table);
    return FALSE;
}

static gboolean apply(sqlite3 *db, const char *sql, guint version, GError **error)
{
    g_auto(NestSqlTxn) txn = {NULL};
    g_autofree char *stamp = g_strdup_printf("PRAGMA user_version = %u", version);
    return nest_sql_begin(&txn, db, error) && nest_sql_exec(db, sql, error) &&
        nest_sql_exec(db, stamp, error) && references_hold(db, error) &&
        nest_sql_commit(&txn, error);
}

gboolean nest_store_migrate(
    sqlite3 *db, const char *const *migrations, gint64 version, GError **error)
{
    for (guint i = version; migrations[i] != NULL; i++) {
        g_autoptr(GError) reason = NULL;
        if (apply(db, migrations[i], i + 1, &reason))
            continue;
        const char *next = nest_error_get_next(reason);
        nest_set_error(error, nest_error_code(reason),
            next != NULL ? next : "go on with the older nestd, and report this as a bug",
            "the state can't be brought to version %u, and is left at version %u: %s", i + 1, i,
            reason->message);
        return FALSE;
    }
    return TRUE;
}
