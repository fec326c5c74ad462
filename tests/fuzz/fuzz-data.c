/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-advisory.h"
#include "nest-error.h"
#include "nest-recipe.h"

/* The administrator's own data: /etc/nestd/advisories.d and recipes.d. */

static void check(GPtrArray *read, GError *error)
{
    g_assert((read == NULL) == (error != NULL));
    if (error == NULL)
        return;
    g_assert(nest_error_code(error) == NEST_ERROR_INVALID_REQUEST);
    g_assert(g_utf8_validate(error->message, -1, NULL));
    g_error_free(error);
}

static void judge(const GPtrArray *advisories)
{
    NestHostKernel kernel = {0};
    for (guint i = 0; i < advisories->len; i++) {
        g_autofree char *reason = NULL;
        nest_advisory_judge(advisories->pdata[i], &kernel, NEST_EXTENSION_SVM, &reason);
        g_assert(reason != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    GError *error = NULL;
    g_autoptr(GPtrArray) advisories = nest_advisory_read(text, size, &error);
    check(advisories, g_steal_pointer(&error));
    if (advisories != NULL)
        judge(advisories);
    g_autoptr(GPtrArray) recipes = nest_recipe_read(text, size, &error);
    check(recipes, error);
    return 0;
}
