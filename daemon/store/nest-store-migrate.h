/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-store.h"

/* The schema is a list of SQL texts; after the first n of them it has version n
 * (PRAGMA user_version). Never change one that was released: add one. */

/* The migrations of this program, in order. */
GStrv nest_store_migrations(GError **error);

/* nest_store_open() with other migrations, for tests. */
NestStore *nest_store_open_with(
    const char *directory, const char *const *migrations, GError **error);
