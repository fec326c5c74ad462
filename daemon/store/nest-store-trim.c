/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-store-private.h"

typedef struct {
    guint operations;
    guint events;
} Keep;

/* Intents and audit go with their operation by ON DELETE CASCADE. */
static gboolean trim(sqlite3 *db, gpointer data, GError **error)
{
    const Keep *keep = data;
    return nest_sql_do(db,
               "DELETE FROM operation WHERE ended = 1 AND id <="
               " (SELECT id FROM operation WHERE ended = 1 ORDER BY id DESC LIMIT 1 OFFSET ?)",
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
