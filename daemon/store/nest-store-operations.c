/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-store-private.h"
#include <string.h>

/* An operation is one JSON text, so that a new field of it needs no migration. */

typedef struct {
    const NestIntent *intent;
    NestOperation operation; /* as it is to be stored; borrows what it points to */
} Beginning;

void nest_intent_free(NestIntent *intent)
{
    if (intent == NULL)
        return;
    nest_operation_free(intent->operation);
    g_free(intent->before_xml);
    g_free(intent->after_xml);
    g_free(intent->detail);
    g_free(intent->forced);
    nest_stored_mark_free(intent->mark);
    g_free(intent);
}

static const char *name_of(const NestOperation *operation)
{
    if (operation->name != NULL)
        return operation->name;
    return operation->uuid != NULL ? operation->uuid : "the host";
}

/* "fix" for "host-fix": whose it is, is said after it. */
static const char *what_of(const NestOperation *operation)
{
    const char *host = "host-", *kind = operation->kind;
    return kind != NULL && g_str_has_prefix(kind, host) ? kind + strlen(host) : kind;
}

static gboolean add_event(sqlite3 *db, const NestOperation *operation, const char *kind,
    const char *message, gint64 now, GError **error)
{
    return nest_sql_do(db,
        "INSERT INTO event (time, kind, uuid, name, operation, message) VALUES (?, ?, ?, ?, ?, ?)",
        NEST_SQL(INT(now), TEXT(kind), TEXT(operation->uuid), TEXT(operation->name),
            INT(operation->id), TEXT(message)),
        error);
}

static gboolean add_audit(
    sqlite3 *db, const NestOperation *operation, const char *action, GError **error)
{
    return nest_sql_do(db,
        "INSERT INTO audit (time, operation, uid, pid, action, vm) VALUES (?, ?, ?, ?, ?, ?)",
        NEST_SQL(INT(operation->created), INT(operation->id), INT(operation->uid),
            INT(operation->pid), TEXT(action),
            TEXT(operation->uuid != NULL ? operation->uuid : operation->name)),
        error);
}

/* Who overrode a guard, and why. */
static gboolean add_forced(sqlite3 *db, const Beginning *beginning, GError **error)
{
    const NestOperation *operation = &beginning->operation;
    const char *forced = beginning->intent->forced;
    if (forced == NULL)
        return TRUE;
    g_autofree char *action = g_strdup_printf("force %s", forced);
    g_autofree char *message = g_strdup_printf("%s of %s was forced by the user with id %u: %s",
        operation->kind, name_of(operation), operation->uid, forced);
    return add_audit(db, operation, action, error) &&
        add_event(db, operation, "guard-forced", message, operation->created, error);
}

static gboolean insert_intent(sqlite3 *db, const Beginning *beginning, GError **error)
{
    const NestIntent *intent = beginning->intent;
    const NestOperation *operation = &beginning->operation;
    g_autofree char *text = nest_codec_to_text(&nest_operation_record, operation);
    return nest_sql_do(db, "INSERT INTO operation (id, ended, text) VALUES (?, 0, ?)",
               NEST_SQL(INT(operation->id), TEXT(text)), error) &&
        nest_sql_do(db,
            "INSERT INTO intent (operation, before_xml, after_xml, detail) VALUES (?, ?, ?, ?)",
            NEST_SQL(INT(operation->id), TEXT(intent->before_xml), TEXT(intent->after_xml),
                TEXT(intent->detail)),
            error) &&
        add_audit(db, operation, operation->kind, error);
}

static gboolean begin(sqlite3 *db, gpointer data, GError **error)
{
    Beginning *beginning = data;
    NestOperation *operation = &beginning->operation;
    /* What AUTOINCREMENT would give; needed beforehand, because the text holds it too. */
    if (!nest_sql_int(db, "SELECT seq + 1 FROM sqlite_sequence WHERE name = 'operation'", NULL, 1,
            &operation->id, error))
        return FALSE;
    g_autofree char *message =
        g_strdup_printf("%s of %s was started", what_of(operation), name_of(operation));
    return insert_intent(db, beginning, error) &&
        add_event(db, operation, "operation-started", message, operation->created, error) &&
        add_forced(db, beginning, error);
}

gboolean nest_store_begin_operation(NestStore *store, NestIntent *intent, GError **error)
{
    Beginning beginning = {intent, *intent->operation};
    beginning.operation.state = NEST_OP_PENDING;
    beginning.operation.created = nest_store_now();
    if (!nest_store_write(store, begin, &beginning, error))
        return FALSE;
    intent->operation->id = beginning.operation.id;
    intent->operation->state = beginning.operation.state;
    intent->operation->created = beginning.operation.created;
    nest_store_notify(store);
    return TRUE;
}

static gboolean put_operation(sqlite3 *db, const NestOperation *operation, GError **error)
{
    g_autofree char *text = nest_codec_to_text(&nest_operation_record, operation);
    if (!nest_sql_do(db, "UPDATE operation SET ended = ?, text = ? WHERE id = ? AND ended = 0",
            NEST_SQL(INT(nest_operation_ended(operation)), TEXT(text), INT(operation->id)), error))
        return FALSE;
    if (sqlite3_changes(db) == 1)
        return TRUE;
    nest_set_error(error, NEST_ERROR_STORE, NULL, "operation %" G_GINT64_FORMAT " is not under way",
        operation->id);
    return FALSE;
}

static gboolean expect_ended(const NestOperation *operation, gboolean ended, GError **error)
{
    if (nest_operation_ended(operation) == ended)
        return TRUE;
    nest_set_error(error, NEST_ERROR_INTERNAL, NULL,
        "operation %" G_GINT64_FORMAT " is stored as %s, and its state is %s", operation->id,
        ended ? "ended" : "under way", nest_nick(nest_operation_state_nicks, operation->state));
    return FALSE;
}

static gboolean update(sqlite3 *db, gpointer data, GError **error)
{
    return put_operation(db, data, error);
}

gboolean nest_store_update_operation(
    NestStore *store, const NestOperation *operation, GError **error)
{
    return expect_ended(operation, FALSE, error) &&
        nest_store_write(store, update, (gpointer)operation, error);
}

static char *describe_end(const NestOperation *operation)
{
    static const char *const words[] = {
        [NEST_OP_DONE] = "is done",
        [NEST_OP_FAILED] = "failed",
        [NEST_OP_ROLLED_BACK] = "was rolled back",
        [NEST_OP_ABORTED] = "was aborted",
    };
    const char *detail = operation->problem != NULL ? operation->problem->detail : NULL;
    return g_strdup_printf("%s of %s %s%s%s", what_of(operation), name_of(operation),
        words[operation->state], detail != NULL ? ": " : "", detail != NULL ? detail : "");
}

static gboolean add_revision(sqlite3 *db, const NestIntent *intent, gint64 now, GError **error)
{
    const NestOperation *operation = intent->operation;
    if (operation->state != NEST_OP_DONE || intent->after_xml == NULL ||
        g_strcmp0(intent->before_xml, intent->after_xml) == 0)
        return TRUE;
    return nest_sql_do(db,
        "INSERT INTO revision (uuid, name, time, operation, before_xml, after_xml)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        NEST_SQL(TEXT(operation->uuid), TEXT(operation->name), INT(now), INT(operation->id),
            TEXT(intent->before_xml), TEXT(intent->after_xml)),
        error);
}

static gboolean finish(sqlite3 *db, gpointer data, GError **error)
{
    const NestIntent *intent = data;
    const NestOperation *operation = intent->operation;
    gint64 now = nest_store_now();
    g_autofree char *message = describe_end(operation);
    return put_operation(db, operation, error) && add_revision(db, intent, now, error) &&
        (intent->mark == NULL || nest_store_write_mark(db, intent->mark, error)) &&
        add_event(db, operation, "operation-finished", message, now, error);
}

gboolean nest_store_finish_operation(NestStore *store, const NestIntent *intent, GError **error)
{
    if (!expect_ended(intent->operation, TRUE, error) ||
        !nest_store_write(store, finish, (gpointer)intent, error))
        return FALSE;
    nest_store_notify(store);
    return TRUE;
}

/* Columns 0 and 1: id and text. */
static NestOperation *decode(sqlite3_stmt *row, GError **error)
{
    g_autoptr(GError) reason = NULL;
    gint64 id = sqlite3_column_int64(row, 0);
    NestOperation *operation =
        nest_codec_from_text(&nest_operation_record, (const char *)sqlite3_column_text(row, 1),
            sqlite3_column_bytes(row, 1), NEST_CODEC_LENIENT, &reason);
    if (operation == NULL)
        nest_set_error(error, NEST_ERROR_STORE, NEST_SQL_MOVE_ASIDE,
            "the database is damaged: operation %" G_GINT64_FORMAT " can't be read: %s", id,
            reason->message);
    else
        operation->id = id;
    return operation;
}

static void free_operation(gpointer operation)
{
    nest_operation_free(operation);
}

static void free_intent(gpointer intent)
{
    nest_intent_free(intent);
}

static gboolean add_intent(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    NestOperation *operation = decode(row, error);
    if (operation == NULL)
        return FALSE;
    NestIntent *intent = g_new0(NestIntent, 1);
    intent->operation = operation;
    intent->before_xml = nest_sql_text(row, 2);
    intent->after_xml = nest_sql_text(row, 3);
    intent->detail = nest_sql_text(row, 4);
    g_ptr_array_add(array, intent);
    return TRUE;
}

gboolean nest_store_unfinished(NestStore *store, GPtrArray **ret_intents, GError **error)
{
    return nest_store_list(store,
        "SELECT id, text, before_xml, after_xml, detail"
        " FROM operation LEFT JOIN intent ON intent.operation = operation.id"
        " WHERE ended = 0 ORDER BY id",
        NULL, add_intent, free_intent, ret_intents, error);
}

static gboolean add_operation(GPtrArray *array, sqlite3_stmt *row, GError **error)
{
    NestOperation *operation = decode(row, error);
    if (operation == NULL)
        return FALSE;
    g_ptr_array_add(array, operation);
    return TRUE;
}

gboolean nest_store_operations(
    NestStore *store, gint64 before, guint limit, GPtrArray **ret_operations, GError **error)
{
    return nest_store_list(store,
        "SELECT id, text FROM operation WHERE id < ? ORDER BY id DESC LIMIT ?",
        NEST_SQL(INT(before > 0 ? before : G_MAXINT64), INT(limit)), add_operation, free_operation,
        ret_operations, error);
}

gboolean nest_store_operation(
    NestStore *store, gint64 id, NestOperation **ret_operation, GError **error)
{
    g_autoptr(GPtrArray) found = NULL;
    if (!nest_store_list(store, "SELECT id, text FROM operation WHERE id = ?", NEST_SQL(INT(id)),
            add_operation, free_operation, &found, error))
        return FALSE;
    if (found->len == 0) {
        nest_set_error(error, NEST_ERROR_OPERATION_NOT_FOUND, NULL,
            "there is no operation %" G_GINT64_FORMAT, id);
        return FALSE;
    }
    *ret_operation = g_ptr_array_steal_index(found, 0);
    return TRUE;
}
