/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-recipe.h"
#include "nest-codec.h"
#include "nest-data-entry.h"
#include "nest-error.h"
#include <string.h>

#define ENTRIES_MAX 64
#define SYSTEMS_MAX 32
#define FACTS_MAX 8
#define MINUTES_MAX 240
#define LINE_MAX_BYTES 500
/* PowerShell gets a command as UTF-16 in base64, and Windows takes 32,767 characters in all. */
#define CHECK_MAX_BYTES 600
#define APPLY_MAX_BYTES 4000

typedef struct {
    GPtrArray *recipes;
} File;

static const char *const shell_nicks[] = {"sh", "powershell", NULL};

// clang-format off
#define FIELD(Type, member, type, flags) \
    {#member, NEST_FIELD_##type, NEST_FIELD_##flags, offsetof(Type, member), NULL, NULL}
#define ARRAY(Type, member, flags, record) \
    {#member, NEST_FIELD_RECORDS, NEST_FIELD_##flags, offsetof(Type, member), NULL, &record}

static const NestField fact_fields[] = {
    FIELD(NestRecipeFact, title, STRING, REQUIRED),
    FIELD(NestRecipeFact, check, STRING, REQUIRED),
    FIELD(NestRecipeFact, next, STRING, OPTIONAL),
};
static const NestRecord fact_record =
    {"fact", sizeof(NestRecipeFact), fact_fields, G_N_ELEMENTS(fact_fields)};

static const NestField step_fields[] = {
    FIELD(NestRecipeStep, id, STRING, REQUIRED),
    FIELD(NestRecipeStep, title, STRING, REQUIRED),
    FIELD(NestRecipeStep, current, STRING, OPTIONAL),
    FIELD(NestRecipeStep, target, STRING, REQUIRED),
    FIELD(NestRecipeStep, check, STRING, REQUIRED),
    FIELD(NestRecipeStep, apply, STRV, REQUIRED),
    FIELD(NestRecipeStep, minutes, UINT, OPTIONAL),
    FIELD(NestRecipeStep, restart, BOOL, OPTIONAL),
    FIELD(NestRecipeStep, optional, BOOL, OPTIONAL),
};
static const NestRecord step_record =
    {"step", sizeof(NestRecipeStep), step_fields, G_N_ELEMENTS(step_fields)};

static const NestField recipe_fields[] = {
    FIELD(NestRecipe, id, STRING, REQUIRED),
    FIELD(NestRecipe, title, STRING, REQUIRED),
    FIELD(NestRecipe, systems, STRV, REQUIRED),
    FIELD(NestRecipe, variant, STRING, OPTIONAL),
    FIELD(NestRecipe, from, UINT, OPTIONAL),
    {"shell", NEST_FIELD_ENUM, NEST_FIELD_REQUIRED, offsetof(NestRecipe, shell), shell_nicks, NULL},
    ARRAY(NestRecipe, needs, OPTIONAL, fact_record),
    ARRAY(NestRecipe, steps, REQUIRED, step_record),
    ARRAY(NestRecipe, proofs, REQUIRED, fact_record),
};
const NestRecord nest_recipe_record =
    {"recipe", sizeof(NestRecipe), recipe_fields, G_N_ELEMENTS(recipe_fields)};

static const NestField file_fields[] = {
    ARRAY(File, recipes, REQUIRED, nest_recipe_record),
};
static const NestRecord file_record =
    {"file of recipes", sizeof(File), file_fields, G_N_ELEMENTS(file_fields)};
// clang-format on

void nest_recipe_free(NestRecipe *recipe)
{
    nest_record_free(&nest_recipe_record, recipe);
}

static void free_recipe(gpointer recipe)
{
    nest_recipe_free(recipe);
}

char *nest_recipe_step_command(const NestRecipeStep *step)
{
    return g_strjoinv("\n", step->apply);
}

const NestRecipeStep *nest_recipe_step(const NestRecipe *recipe, const char *id)
{
    for (guint i = 0; i < recipe->steps->len; i++) {
        const NestRecipeStep *step = g_ptr_array_index(recipe->steps, i);
        if (strcmp(step->id, id) == 0)
            return step;
    }
    return NULL;
}

/* ---- what a file must be ---- */

static gboolean refuse(
    const NestRecipe *recipe, const char *field, const char *expected, GError **error)
{
    return nest_data_entry_refuse(recipe->id, field, expected, error);
}

static gboolean is_line(const char *text)
{
    return nest_data_entry_is_line(text, LINE_MAX_BYTES);
}

static gboolean is_command(const char *text, gsize max)
{
    return *text != '\0' && strlen(text) <= max;
}

static gboolean check_facts(
    const NestRecipe *recipe, const char *field, const GPtrArray *facts, GError **error)
{
    if (facts->len > FACTS_MAX)
        return refuse(recipe, field, "at most 8", error);
    for (guint i = 0; i < facts->len; i++) {
        const NestRecipeFact *fact = g_ptr_array_index(facts, i);
        if (!is_line(fact->title) || (fact->next != NULL && !is_line(fact->next)) ||
            !is_command(fact->check, CHECK_MAX_BYTES))
            return refuse(recipe, field,
                "facts with lines of 1 to 500 bytes and a check of at most 600", error);
    }
    return TRUE;
}

static gboolean check_step(const NestRecipe *recipe, const NestRecipeStep *step, GError **error)
{
    if (!nest_data_entry_is_id(step->id) || nest_recipe_step(recipe, step->id) != step ||
        strcmp(step->id, "restart") == 0 || strcmp(step->id, "proof") == 0)
        return refuse(recipe, "steps",
            "steps with ids of their own, other than \"restart\" and \"proof\"", error);
    if (!is_line(step->title) || !is_line(step->target) ||
        (step->current != NULL && !is_line(step->current)))
        return refuse(recipe, "steps", "steps with lines of 1 to 500 bytes", error);
    g_autofree char *command = nest_recipe_step_command(step);
    if (!is_command(step->check, CHECK_MAX_BYTES) || !is_command(command, APPLY_MAX_BYTES))
        return refuse(recipe, "steps",
            "steps with a check of at most 600 bytes and an apply of at most 4000", error);
    if (step->minutes > MINUTES_MAX)
        return refuse(recipe, "steps", "steps of at most 240 minutes", error);
    return TRUE;
}

static gboolean check_steps(const NestRecipe *recipe, GError **error)
{
    gboolean restart = FALSE;
    if (recipe->steps->len == 0 || recipe->steps->len > NEST_RECIPE_STEPS_MAX)
        return refuse(recipe, "steps", "1 to 8 steps", error);
    for (guint i = 0; i < recipe->steps->len; i++) {
        const NestRecipeStep *step = g_ptr_array_index(recipe->steps, i);
        if (!check_step(recipe, step, error))
            return FALSE;
        if (restart && !step->restart)
            return refuse(recipe, "steps", "such that those with restart come last", error);
        restart = step->restart;
    }
    return TRUE;
}

static gboolean check_recipe(const NestRecipe *recipe, GError **error)
{
    if (!nest_data_entry_is_id(recipe->id))
        return refuse(recipe, "id", "1 to 64 letters, digits and . _ -", error);
    if (!is_line(recipe->title))
        return refuse(recipe, "title", "a line of 1 to 500 bytes", error);
    if (*recipe->systems == NULL || g_strv_length(recipe->systems) > SYSTEMS_MAX)
        return refuse(recipe, "systems", "1 to 32 systems", error);
    for (char **system = recipe->systems; *system != NULL; system++)
        if (!nest_data_entry_is_id(*system))
            return refuse(recipe, "systems", "IDs of os-release", error);
    if (recipe->variant != NULL && !nest_data_entry_is_id(recipe->variant))
        return refuse(recipe, "variant", "a VARIANT_ID of os-release", error);
    if (recipe->proofs->len == 0)
        return refuse(recipe, "proofs", "one at least", error);
    return check_facts(recipe, "needs", recipe->needs, error) && check_steps(recipe, error) &&
        check_facts(recipe, "proofs", recipe->proofs, error);
}

static GPtrArray *check_file(const File *file, GError **error)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) recipes = g_ptr_array_new_with_free_func(free_recipe);
    if (file->recipes->len > ENTRIES_MAX) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "see nestd.conf(5)",
            "there are more than %d entries", ENTRIES_MAX);
        return NULL;
    }
    for (guint i = 0; i < file->recipes->len; i++) {
        const NestRecipe *recipe = g_ptr_array_index(file->recipes, i);
        if (!check_recipe(recipe, error))
            return NULL;
        if (!g_hash_table_add(ids, recipe->id)) {
            refuse(recipe, "id", "its own: another entry has it", error);
            return NULL;
        }
        g_ptr_array_add(recipes, nest_record_copy(&nest_recipe_record, recipe));
    }
    return g_steal_pointer(&recipes);
}

GPtrArray *nest_recipe_read(const char *text, gsize length, GError **error)
{
    File *file = nest_codec_from_text(&file_record, text, (gssize)length, NEST_CODEC_STRICT, error);
    if (file == NULL)
        return NULL;
    GPtrArray *recipes = check_file(file, error);
    nest_record_free(&file_record, file);
    return recipes;
}

/* ---- which one ---- */

/* A system without a version is newer than all that have one. */
static gboolean is_for(const NestRecipe *recipe, const char *id, const NestGuestSystem *system)
{
    guint64 version =
        system->version != NULL ? g_ascii_strtoull(system->version, NULL, 10) : G_MAXUINT64;
    return g_strv_contains((const char *const *)recipe->systems, id) &&
        (recipe->variant == NULL || g_strcmp0(recipe->variant, system->variant) == 0) &&
        version >= recipe->from;
}

static const NestRecipe *find(
    const GPtrArray *recipes, const char *id, const NestGuestSystem *system)
{
    for (guint i = 0; i < recipes->len; i++)
        if (is_for(g_ptr_array_index(recipes, i), id, system))
            return g_ptr_array_index(recipes, i);
    return NULL;
}

/* The versions of a system that is like another are its own. */
const NestRecipe *nest_recipe_match(const GPtrArray *recipes, const NestGuestSystem *system)
{
    const NestGuestSystem kin = {.variant = system->variant};
    const NestRecipe *found = system->id != NULL ? find(recipes, system->id, system) : NULL;
    for (char **like = system->like; found == NULL && like != NULL && *like != NULL; like++)
        found = find(recipes, *like, &kin);
    return found;
}
