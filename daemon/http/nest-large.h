/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>
#include <sys/types.h>

/* Who has a large request under way: one for each user, so many in all. So what clients can have
 * the daemon keep in memory stays bounded, whatever they send and however slowly they read. */

#define NEST_LARGE_MAX 8

typedef struct NestLargePlaces NestLargePlaces;
typedef struct NestLarge NestLarge;

NestLargePlaces *nest_large_places_new(void);
void nest_large_places_free(NestLargePlaces *places);

/* A place for uid, TOO_MANY where there is none. It is given back with the last reference, also
 * after the places are freed. */
NestLarge *nest_large_take(NestLargePlaces *places, uid_t uid, GError **error);
NestLarge *nest_large_ref(NestLarge *large);
void nest_large_unref(NestLarge *large);
