/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-advice.h"
#include <string.h>

static void free_judgement(gpointer data)
{
    NestJudgement *judgement = data;
    g_free(judgement->reason);
    g_free(judgement);
}

NestAdvice *nest_advice_new(
    NestAdvisories *advisories, NestHostKernel *kernel, NestExtension vendor)
{
    NestAdvice *advice = g_new0(NestAdvice, 1);
    g_autoptr(GString) key = g_string_new(NULL);
    advice->advisories = nest_advisories_ref(advisories);
    advice->kernel = nest_host_kernel_ref(kernel);
    advice->judgements = g_ptr_array_new_with_free_func(free_judgement);
    for (guint i = 0; i < advisories->entries->len; i++) {
        NestJudgement *judgement = g_new0(NestJudgement, 1);
        judgement->advisory = g_ptr_array_index(advisories->entries, i);
        judgement->state =
            nest_advisory_judge(judgement->advisory, kernel, vendor, &judgement->reason);
        g_string_append_c(key, 'a' + judgement->state);
        g_ptr_array_add(advice->judgements, judgement);
    }
    advice->key = g_string_free(g_steal_pointer(&key), FALSE);
    return advice;
}

void nest_advice_free(NestAdvice *advice)
{
    if (advice == NULL)
        return;
    g_ptr_array_unref(advice->judgements);
    nest_advisories_unref(advice->advisories);
    nest_host_kernel_unref(advice->kernel);
    g_free(advice->key);
    g_free(advice);
}

NestExtension nest_advice_vendor(const NestHostFacts *host)
{
    static const struct {
        const char *name;
        NestExtension vendor;
    } rows[] = {{"GenuineIntel", NEST_EXTENSION_VMX}, {"AuthenticAMD", NEST_EXTENSION_SVM},
        {"HygonGenuine", NEST_EXTENSION_SVM}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(host->cpu_vendor, rows[i].name) == 0)
            return rows[i].vendor;
    return NEST_EXTENSION_NONE;
}

GPtrArray *nest_advice_of_check(const NestAdvice *advice, const char *check, NestAdviceState state)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < advice->judgements->len; i++) {
        NestJudgement *judgement = g_ptr_array_index(advice->judgements, i);
        if (judgement->state == state &&
            (check == NULL || strcmp(judgement->advisory->check, check) == 0))
            g_ptr_array_add(found, judgement);
    }
    return found;
}

GPtrArray *nest_advice_refusing(const NestAdvice *advice, NestAdviceState state)
{
    GPtrArray *found = nest_advice_of_check(advice, NULL, state);
    for (guint i = found->len; i > 0; i--) {
        const NestJudgement *judgement = g_ptr_array_index(found, i - 1);
        if (judgement->advisory->kind != NEST_ADVISORY_FLAW || !judgement->advisory->refuses)
            g_ptr_array_remove_index(found, i - 1);
    }
    return found;
}

char *nest_advice_ids(const GPtrArray *judgements)
{
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < judgements->len; i++) {
        const NestJudgement *judgement = g_ptr_array_index(judgements, i);
        g_string_append_printf(ids, "%s%s", i > 0 ? ", " : "", judgement->advisory->id);
    }
    return g_string_free(ids, FALSE);
}
