/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-check-catalogue.h"
#include "nest-checks.h"
#include "nest-record.h"
#include "nest-test-view.h"
#include <string.h>

/* What tests of checks ask of their results. */

static inline const NestCheck *find_check(const GPtrArray *checks, const char *id)
{
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (strcmp(check->id, id) == 0)
            return check;
    }
    fail_msg("there is no check %s", id);
    return NULL;
}

static inline void assert_verdict(
    const GPtrArray *checks, const char *where, const char *id, NestVerdict verdict)
{
    const NestCheck *check = find_check(checks, id);
    if (check->verdict != verdict)
        fail_msg("%s: %s is %s instead of %s: %s", where, id,
            nest_nick(nest_verdict_nicks, check->verdict), nest_nick(nest_verdict_nicks, verdict),
            check->message);
}

static inline const NestCheckInfo *find_info(const GPtrArray *catalogue, const char *id)
{
    for (guint i = 0; i < catalogue->len; i++) {
        const NestCheckInfo *info = g_ptr_array_index(catalogue, i);
        if (strcmp(info->id, id) == 0)
            return info;
    }
    fail_msg("%s is not in the catalogue", id);
    return NULL;
}

/* What holds for every result: it speaks in sentences and helps where something is wrong. */
static inline void assert_well_formed(const GPtrArray *checks)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) catalogue = nest_check_catalogue();
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        assert_true(g_hash_table_add(ids, check->id));
        assert_non_null(check->title);
        if (check->message == NULL || !g_str_has_suffix(check->message, "."))
            fail_msg("%s says no sentence: %s", check->id, check->message);
        if (check->verdict != NEST_VERDICT_UNKNOWN && check->verdict != NEST_VERDICT_NOT_APPLICABLE)
            assert_true(check->verdict <= find_info(catalogue, check->id)->level);
        gboolean wrong = check->verdict == NEST_VERDICT_WARN || check->verdict == NEST_VERDICT_FAIL;
        if (wrong && (check->fix == NULL || check->read == NULL))
            fail_msg("%s gives no way out", check->id);
        if (check->verdict == NEST_VERDICT_PASS && check->fix != NULL)
            fail_msg("%s passes and wants a fix: %s", check->id, check->fix);
        const char *texts[] = {check->message, check->read, check->fix};
        for (guint t = 0; t < G_N_ELEMENTS(texts); t++)
            if (texts[t] != NULL && strstr(texts[t], "(null)") != NULL)
                fail_msg("%s: %s", check->id, texts[t]);
    }
}
