/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-agent.h"
#include "nest-record.h"

/* How a hypervisor gets into a guest, as data: one entry of schema/recipes.json. */

#define NEST_RECIPE_STEPS_MAX 8

/* Who reads the commands of a recipe. In both a command that looks answers by a number: 0 it is
 * there, 3 it is there once the guest is restarted, anything else it is not; of sh that is its exit
 * status, of PowerShell the last value that it gives. */
typedef enum {
    NEST_SHELL_SH, /* "sh": /bin/sh of a POSIX system */
    NEST_SHELL_POWERSHELL /* "powershell": Windows PowerShell 5.1 */
} NestShell;

/* What must hold, and is not brought about here. */
typedef struct {
    char *title; /* a clause that says that it does not: "the guest has less than 2 GiB free" */
    char *check;
    char *next; /* what to do then; {vm} is the VM's name */
} NestRecipeFact;

typedef struct {
    char *id;
    char *title; /* "QEMU and libvirt" */
    char *current, *target; /* for the plan: "not installed", "qemu-system-x86, …" */
    char *check;
    GStrv apply; /* its lines */
    guint minutes; /* that apply may take; 0: 1 */
    gboolean restart; /* it takes effect when the guest is restarted */
    gboolean optional;
} NestRecipeStep;

typedef struct {
    char *id;
    char *title; /* "KVM and libvirt on Debian and Ubuntu" */
    GStrv systems; /* IDs of os-release, "mswindows" */
    char *variant; /* VARIANT_ID: "server", "client"; NULL: any */
    guint from; /* the first version that it is for; 0: any */
    NestShell shell;
    GPtrArray *needs; /* NestRecipeFact: before anything is done */
    GPtrArray *steps; /* NestRecipeStep in order; those with restart come last */
    GPtrArray *proofs; /* NestRecipeFact: once all is done */
} NestRecipe;
extern const NestRecord nest_recipe_record; /* schema/recipes.schema.json is held equal */
void nest_recipe_free(NestRecipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestRecipe, nest_recipe_free)

/* The lines as one text. */
char *nest_recipe_step_command(const NestRecipeStep *step);

const NestRecipeStep *nest_recipe_step(const NestRecipe *recipe, const char *id);

/* Array of NestRecipe that frees its elements, of the text of a file, read strictly and within
 * bounds. INVALID_REQUEST: what is wrong. */
GPtrArray *nest_recipe_read(const char *text, gsize length, GError **error);

/* The first recipe for id itself, else for the first of like that has one; NULL: none is. */
const NestRecipe *nest_recipe_match(const GPtrArray *recipes, const NestGuestSystem *system);
