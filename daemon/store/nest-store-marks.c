/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record.h"
#include "nest-store-private.h"

typedef struct {
    const NestStoredMark *mark;
    GPtrArray *events;
    gint64 now;
    gint64 first;
} Putting;

NestStoredMark *nest_store_mark_new(const char *uuid)
{
    NestStoredMark *mark = g_new0(NestStoredMark, 1);
    mark->uuid = g_strdup(uuid);
    return mark;
}

NestStoredMark *nest_store_mark_copy(const NestStoredMark *mark)
{
    NestStoredMark *copy = g_new(NestStoredMark, 1);
    *copy = *mark;
    copy->uuid = g_strdup(mark->uuid);
    copy->left_as = g_strdup(mark->left_as);
    copy->saved = g_strdup(mark->saved);
    copy->open = g_strdup(mark->open);
    return copy;
}

void nest_stored_mark_free(NestStoredMark *mark)
{
    if (mark == NULL)
        return;
    g_free(mark->uuid);
    g_free(mark->left_as);
    g_free(mark->saved);
    g_free(mark->open);
    g_free(mark);
}

static void free_mark(gpointer mark)
{
    nest_stored_mark_free(mark);
}

static gboolean add_mark(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    g_autofree char *trust = nest_sql_text(row, 1);
    NestStoredMark *mark = g_new0(NestStoredMark, 1);
    guint label = NEST_TRUST_TRUSTED;
    mark->uuid = nest_sql_text(row, 0);
    mark->labelled = trust != NULL && nest_nick_parse(nest_trust_nicks, trust, &label);
    mark->trust = label;
    mark->guarded = sqlite3_column_int(row, 2) != 0;
    mark->left_as = nest_sql_text(row, 3);
    mark->fresh = sqlite3_column_int(row, 4) != 0;
    mark->saved = nest_sql_text(row, 5);
    mark->open = nest_sql_text(row, 6);
    g_ptr_array_add(array, mark);
    return TRUE;
}

gboolean nest_store_marks(NestStore *store, GPtrArray **ret_marks, GError **error)
{
    return nest_store_list(store,
        "SELECT uuid, trust, guarded, left_as, fresh, saved, open FROM vm_mark", NULL, add_mark,
        free_mark, ret_marks, error);
}

gboolean nest_store_write_mark(sqlite3 *db, const NestStoredMark *mark, GError **error)
{
    gboolean plain = !mark->labelled && !mark->guarded && mark->left_as == NULL && !mark->fresh &&
        mark->saved == NULL && mark->open == NULL;
    if (plain)
        return nest_sql_do(
            db, "DELETE FROM vm_mark WHERE uuid = ?", NEST_SQL(TEXT(mark->uuid)), error);
    return nest_sql_do(db,
        "INSERT INTO vm_mark (uuid, trust, guarded, left_as, fresh, saved, open)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET trust = excluded.trust, guarded = excluded.guarded,"
        " left_as = excluded.left_as, fresh = excluded.fresh, saved = excluded.saved,"
        " open = excluded.open",
        NEST_SQL(TEXT(mark->uuid),
            TEXT(mark->labelled ? nest_nick(nest_trust_nicks, mark->trust) : NULL),
            INT(mark->guarded), TEXT(mark->left_as), INT(mark->fresh), TEXT(mark->saved),
            TEXT(mark->open)),
        error);
}

static gboolean put(sqlite3 *db, gpointer data, GError **error)
{
    Putting *putting = data;
    return nest_store_write_mark(db, putting->mark, error) &&
        nest_store_insert_events(db, putting->events, putting->now, &putting->first, error);
}

gboolean nest_store_put_mark(
    NestStore *store, const NestStoredMark *mark, GPtrArray *events, GError **error)
{
    Putting putting = {mark, events, nest_store_now(), 0};
    if (!nest_store_write(store, put, &putting, error))
        return FALSE;
    if (events != NULL && events->len > 0) {
        nest_store_number_events(events, putting.now, putting.first);
        nest_store_notify(store);
    }
    return TRUE;
}

static gboolean put_started(sqlite3 *db, gpointer data, GError **error)
{
    const char *uuid = data;
    return nest_sql_do(
        db, "UPDATE vm_mark SET fresh = 0 WHERE uuid = ?", NEST_SQL(TEXT(uuid)), error);
}

gboolean nest_store_mark_started(NestStore *store, const char *uuid, GError **error)
{
    return nest_store_write(store, put_started, (gpointer)uuid, error);
}
