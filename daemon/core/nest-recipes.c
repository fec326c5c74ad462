/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-recipes.h"
#include "nest-data-folder.h"
#include "nest-recipes-data.h"
#include <gio/gio.h>
#include <string.h>

#define SHIPPED "/org/nestd/recipes/recipes.json"

static void free_recipe(gpointer recipe)
{
    nest_recipe_free(recipe);
}

static gboolean find(const GPtrArray *recipes, const char *id, guint *ret_index)
{
    for (guint i = 0; i < recipes->len; i++) {
        const NestRecipe *recipe = g_ptr_array_index(recipes, i);
        if (strcmp(recipe->id, id) != 0)
            continue;
        *ret_index = i;
        return TRUE;
    }
    return FALSE;
}

/* In place of one of the same id, else at the end. */
static gboolean merge_text(const char *text, gsize length, gpointer entries, GError **error)
{
    g_autoptr(GPtrArray) recipes = nest_recipe_read(text, length, error);
    if (recipes == NULL)
        return FALSE;
    g_ptr_array_set_free_func(recipes, NULL);
    for (guint i = 0, at = 0; i < recipes->len; i++) {
        NestRecipe *recipe = g_ptr_array_index(recipes, i);
        if (!find(entries, recipe->id, &at)) {
            g_ptr_array_add(entries, recipe);
            continue;
        }
        gpointer *place = &g_ptr_array_index((GPtrArray *)entries, at);
        nest_recipe_free(*place);
        *place = recipe;
    }
    return TRUE;
}

/* Shipped ones are read by a test of each build. */
static void add_shipped(GPtrArray *entries)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_resource_lookup_data(
        nest_recipes_data_get_resource(), SHIPPED, G_RESOURCE_LOOKUP_FLAGS_NONE, &error);
    g_autoptr(GPtrArray) shipped = bytes != NULL
        ? nest_recipe_read(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error)
        : NULL;
    if (shipped == NULL)
        g_error("the recipes that nestd was built with can't be read: %s", error->message);
    for (guint i = 0, at = 0; i < shipped->len; i++) {
        const NestRecipe *recipe = g_ptr_array_index(shipped, i);
        if (!find(entries, recipe->id, &at))
            g_ptr_array_add(entries, nest_record_copy(&nest_recipe_record, recipe));
    }
}

NestRecipes *nest_recipes_load(const char *folder)
{
    NestRecipes *recipes = g_new0(NestRecipes, 1);
    recipes->entries = g_ptr_array_new_with_free_func(free_recipe);
    recipes->problems = nest_data_folder_read(folder, merge_text, recipes->entries);
    add_shipped(recipes->entries);
    return recipes;
}

void nest_recipes_free(NestRecipes *recipes)
{
    if (recipes == NULL)
        return;
    g_ptr_array_unref(recipes->entries);
    g_strfreev(recipes->problems);
    g_free(recipes);
}
