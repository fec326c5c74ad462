/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-large.h"
#include "nest-error.h"

struct NestLargePlaces {
    GHashTable *users; /* set of uids */
};

struct NestLarge {
    GHashTable *users;
    uid_t uid;
};

NestLargePlaces *nest_large_places_new(void)
{
    NestLargePlaces *places = g_new0(NestLargePlaces, 1);
    places->users = g_hash_table_new(NULL, NULL);
    return places;
}

void nest_large_places_free(NestLargePlaces *places)
{
    g_hash_table_unref(places->users);
    g_free(places);
}

NestLarge *nest_large_take(NestLargePlaces *places, uid_t uid, GError **error)
{
    if (g_hash_table_size(places->users) >= NEST_LARGE_MAX ||
        !g_hash_table_add(places->users, GUINT_TO_POINTER(uid))) {
        nest_set_error(error, NEST_ERROR_TOO_MANY, "try again",
            "another large request is under way, and there is room for one at a time");
        return NULL;
    }
    NestLarge *large = g_rc_box_new0(NestLarge);
    large->users = g_hash_table_ref(places->users);
    large->uid = uid;
    return large;
}

NestLarge *nest_large_ref(NestLarge *large)
{
    return g_rc_box_acquire(large);
}

static void clear(gpointer data)
{
    NestLarge *large = data;
    g_hash_table_remove(large->users, GUINT_TO_POINTER(large->uid));
    g_hash_table_unref(large->users);
}

void nest_large_unref(NestLarge *large)
{
    g_rc_box_release_full(large, clear);
}
