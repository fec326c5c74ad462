/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-private.h"

/* The first row of audit says what was asked for; others tell of guards that were forced. */
#define COLUMNS \
    "SELECT revision.id, revision.time, revision.operation, action, uid, before_xml, after_xml" \
    " FROM revision LEFT JOIN audit ON audit.id =" \
    " (SELECT MIN(id) FROM audit WHERE audit.operation = revision.operation)" \
    " WHERE revision.uuid IS ?"

void nest_stored_revision_free(NestStoredRevision *revision)
{
    if (revision == NULL)
        return;
    g_free(revision->kind);
    g_free(revision->before_xml);
    g_free(revision->after_xml);
    g_free(revision);
}

static void free_revision(gpointer revision)
{
    nest_stored_revision_free(revision);
}

static gboolean add_revision(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    NestStoredRevision *revision = g_new0(NestStoredRevision, 1);
    revision->id = sqlite3_column_int64(row, 0);
    revision->time = sqlite3_column_int64(row, 1);
    revision->operation = sqlite3_column_int64(row, 2);
    revision->kind = nest_sql_text(row, 3);
    revision->uid = sqlite3_column_type(row, 4) == SQLITE_NULL ? -1 : sqlite3_column_int64(row, 4);
    revision->before_xml = nest_sql_text(row, 5);
    revision->after_xml = nest_sql_text(row, 6);
    g_ptr_array_add(array, revision);
    return TRUE;
}

gboolean nest_store_revisions(NestStore *store, const char *uuid, gint64 before, guint limit,
    GPtrArray **ret_revisions, GError **error)
{
    return nest_store_list(store,
        COLUMNS " AND (? = 0 OR revision.id < ?) ORDER BY revision.id DESC LIMIT ?",
        NEST_SQL(TEXT(uuid), INT(before), INT(before), INT(limit)), add_revision, free_revision,
        ret_revisions, error);
}

gboolean nest_store_revision(NestStore *store, const char *uuid, gint64 id,
    NestStoredRevision **ret_revision, GError **error)
{
    g_autoptr(GPtrArray) found = NULL;
    if (!nest_store_list(store,
            COLUMNS " AND (revision.id = ? OR ? = 0) ORDER BY revision.id DESC LIMIT 1",
            NEST_SQL(TEXT(uuid), INT(id), INT(id)), add_revision, free_revision, &found, error))
        return FALSE;
    *ret_revision = found->len > 0 ? g_ptr_array_steal_index(found, 0) : NULL;
    return TRUE;
}
