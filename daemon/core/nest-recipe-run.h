/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-guest-facts.h"
#include "nest-recipe.h"

/* A recipe and the guest that it is for: what is there, and doing a step. Blocks. Errors of the
 * agent are those of NestBackendOps. */

typedef enum {
    NEST_RECIPE_MISSING,
    NEST_RECIPE_THERE,
    NEST_RECIPE_AFTER_RESTART /* it is there once the guest is restarted */
} NestRecipeState;

/* What the guest is, and what of the recipe for it is there. */
typedef struct {
    NestGuest *guest;
    NestGuestFacts *windows; /* what Windows says of itself; NULL: it is something else */
    NestGuestSystem system;
    const NestRecipe *recipe; /* borrowed; NULL: there is none for it */
    GArray *needs, *steps, *proofs; /* NestRecipeState of each; empty without recipe */
} NestRecipeLook;

/* Which recipe of recipes is for the guest; nothing of it is looked at yet. UNSUPPORTED and
 * VM_UNFIT where it can't run commands. */
NestRecipeLook *nest_recipe_find(
    NestBackend *backend, const char *uuid, const GPtrArray *recipes, GError **error);
void nest_recipe_look_free(NestRecipeLook *look);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestRecipeLook, nest_recipe_look_free)

/* What of look->recipe is there now. seconds: how long that may take. */
gboolean nest_recipe_look(NestBackend *backend, const char *uuid, NestRecipeLook *look,
    guint seconds, GCancellable *cancellable, GError **error);

/* Carries step out. VM_UNFIT with the end of what it printed where it failed; TIMEOUT, ABORTED:
 * what runs was killed. */
gboolean nest_recipe_apply(NestBackend *backend, const char *uuid, const NestRecipe *recipe,
    const NestRecipeStep *step, GCancellable *cancellable, GError **error);

/* Waits until the agent answers again after a restart: TIMEOUT. */
gboolean nest_recipe_wait(NestBackend *backend, const char *uuid, guint seconds,
    GCancellable *cancellable, GError **error);

/* TRUE: a guest that was just restarted may do yet what failed by error. */
gboolean nest_recipe_may_come(const GError *error);

/* Half a second until something is looked at again; ABORTED. */
gboolean nest_recipe_rest(GCancellable *cancellable, GError **error);
