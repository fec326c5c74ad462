/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-private.h"

typedef struct {
    guint operations;
    guint events;
} Keep;

#define OLD " <= (SELECT id FROM operation WHERE ended = 1 ORDER BY id DESC LIMIT 1 OFFSET ?)"

/* Who changed a definition and why, and who forced what, stays on record: of these operations only
 * what recovery would need goes. Intents and audit go with their operation by ON DELETE CASCADE. */
static gboolean trim(sqlite3 *db, gpointer data, GError **error)
{
    const Keep *keep = data;
    return nest_sql_do(db,
               "DELETE FROM intent WHERE operation" OLD
               " AND (SELECT ended FROM operation WHERE id = intent.operation)",
               NEST_SQL(INT(keep->operations)), error) &&
        nest_sql_do(db,
            "DELETE FROM operation WHERE ended = 1 AND id" OLD
            " AND NOT EXISTS (SELECT 1 FROM revision WHERE revision.operation = operation.id)"
            " AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.operation = operation.id"
            " AND action GLOB 'force *')",
            NEST_SQL(INT(keep->operations)), error) &&
        nest_sql_do(db,
            "DELETE FROM event WHERE id <="
            " (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?)",
            NEST_SQL(INT(keep->events)), error);
}

gboolean nest_store_trim(NestStore *store, guint keep_operations, guint keep_events, GError **error)
{
    Keep keep = {keep_operations, keep_events};
    return nest_store_write(store, trim, &keep, error);
}
