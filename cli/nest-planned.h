/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-cli.h"

/* A change that is shown first, then asked about, then done: what enable, host fix and their like
 * have in common. */
typedef struct NestPlanned NestPlanned;

struct NestPlanned {
    NestCli *cli;
    const char *subject; /* what is changed, as a sentence begins: "DemoVM", "The host" */
    const char *aim; /* "enable nesting" */
    NestPlan *(*get)(const NestPlanned *planned, GStrv declined, GError **error);
    /* Sends the wish for plan. */
    gboolean (*set)(const NestPlanned *planned, const NestPlan *plan, GStrv declined,
        NestOperation **ret_operation, GError **error);
    /* What to say once plan is done. */
    char *(*done)(const NestPlanned *planned, const NestPlan *plan);
    /* Says that nothing is to be done. */
    void (*say_nothing)(const NestPlanned *planned, const NestPlan *plan);
    /* The ids of items that the options leave out; NULL: no option does. */
    GStrv (*decline)(const NestPlanned *planned, const NestPlan *plan);
    /* the command's own */
    const char *vm;
    gboolean enable;
    gint64 to;
};

/* From the plan to the end, with --yes, --dry-run, --json, Ctrl-C, and plans that are outdated. */
gboolean nest_planned_run(const NestPlanned *planned, GError **error);
