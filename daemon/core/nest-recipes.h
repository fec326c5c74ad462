/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-recipe.h"

/* The recipes that nestd goes by: those of a folder of the administrator, then those that it was
 * built with and none of these replaces. Immutable. */
typedef struct {
    GPtrArray *entries; /* NestRecipe, in the order in which they are tried */
    GStrv problems; /* a sentence for each file that was left out */
} NestRecipes;

/* As nest_data_folder_read(): a file that is wrong is left out as a whole. Never fails. */
NestRecipes *nest_recipes_load(const char *folder);
void nest_recipes_free(NestRecipes *recipes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestRecipes, nest_recipes_free)
