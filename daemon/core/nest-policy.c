/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-policy.h"
#include "nest-check-catalogue.h"
#include "nest-error.h"
#include "nest-record.h"
#include <string.h>

#define TEXT_MAX 500

typedef struct {
    char *vm; /* name or pattern; NULL: the host */
    char *id;
    char *reason;
    char *until; /* the last day, NULL: for ever */
} Ignore;

struct NestPolicy {
    GHashTable *levels; /* id → NestVerdict */
    GPtrArray *ignores; /* in the order of the file */
    GStrv allow; /* NULL: all */
    char *allow_text;
    GHashTable *scopes; /* every id there is → NestScope */
};

static void free_ignore(gpointer data)
{
    Ignore *ignore = data;
    g_free(ignore->vm);
    g_free(ignore->id);
    g_free(ignore->reason);
    g_free(ignore->until);
    g_free(ignore);
}

NestPolicy *nest_policy_new(void)
{
    NestPolicy *policy = g_new0(NestPolicy, 1);
    g_autoptr(GPtrArray) catalogue = nest_check_catalogue();
    policy->levels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    policy->ignores = g_ptr_array_new_with_free_func(free_ignore);
    policy->scopes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < catalogue->len; i++) {
        const NestCheckInfo *info = g_ptr_array_index(catalogue, i);
        if (info->scope != NEST_SCOPE_GUARD)
            g_hash_table_insert(policy->scopes, g_strdup(info->id), GUINT_TO_POINTER(info->scope));
    }
    return policy;
}

void nest_policy_free(NestPolicy *policy)
{
    if (policy == NULL)
        return;
    g_hash_table_unref(policy->levels);
    g_hash_table_unref(policy->scopes);
    g_ptr_array_unref(policy->ignores);
    g_strfreev(policy->allow);
    g_free(policy->allow_text);
    g_free(policy);
}

static char *no_such_check(const char *id)
{
    return g_strdup_printf("there is no check \"%s\": nestctl checks lists them", id);
}

char *nest_policy_set_level(NestPolicy *policy, const char *id, const char *level)
{
    guint verdict = NEST_VERDICT_PASS;
    if (!g_hash_table_contains(policy->scopes, id))
        return no_such_check(id);
    nest_nick_parse(nest_verdict_nicks, level, &verdict);
    if (verdict != NEST_VERDICT_INFO && verdict != NEST_VERDICT_WARN &&
        verdict != NEST_VERDICT_FAIL)
        return g_strdup_printf("the level of %s must be info, warn or fail", id);
    g_hash_table_replace(policy->levels, g_strdup(id), GUINT_TO_POINTER(verdict));
    return NULL;
}

/* NULL if group is one of ours; *ret_vm is the VM's name or pattern, NULL for the host. */
static char *parse_group(const char *group, char **ret_vm)
{
    const char *rest = group + strlen("ignore");
    rest += strspn(rest, " \t");
    *ret_vm = NULL;
    if (strcmp(rest, "host") == 0)
        return NULL;
    if (g_str_has_prefix(rest, "vm ") && rest[3 + strspn(rest + 3, " \t")] != '\0') {
        *ret_vm = g_strdup(rest + 3 + strspn(rest + 3, " \t"));
        return NULL;
    }
    return g_strdup_printf(
        "unknown group [%s]: there are [ignore host] and [ignore vm NAME]", group);
}

static gboolean is_day(const char *text)
{
    g_autofree char *time = g_strconcat(text, "T00:00:00Z", NULL);
    g_autoptr(GDateTime) date =
        strlen(text) == 10 ? g_date_time_new_from_iso8601(time, NULL) : NULL;
    return date != NULL;
}

/* Splits "REASON; until DAY". NULL if it could be understood. */
static char *parse_reason(const char *value, Ignore *ignore)
{
    const char *end = g_strrstr(value, "; until ");
    ignore->reason = end != NULL ? g_strndup(value, end - value) : g_strdup(value);
    g_strstrip(ignore->reason);
    if (end != NULL)
        ignore->until = g_strstrip(g_strdup(end + strlen("; until ")));
    if (*ignore->reason == '\0')
        return g_strdup_printf(
            "say why %s is ignored: REASON, or REASON; until YYYY-MM-DD", ignore->id);
    if (strlen(value) > TEXT_MAX)
        return g_strdup_printf("the reason for ignoring %s is too long", ignore->id);
    if (ignore->until != NULL && !is_day(ignore->until))
        return g_strdup_printf("\"%s\" is no day: it is ignored until YYYY-MM-DD", ignore->until);
    return NULL;
}

char *nest_policy_set_ignore(
    NestPolicy *policy, const char *group, const char *id, const char *value)
{
    gpointer scope = NULL;
    Ignore *ignore = g_new0(Ignore, 1);
    char *wrong = parse_group(group, &ignore->vm);
    ignore->id = g_strdup(id);
    if (wrong == NULL && !g_hash_table_lookup_extended(policy->scopes, id, NULL, &scope))
        wrong = no_such_check(id);
    if (wrong == NULL && (GPOINTER_TO_UINT(scope) == NEST_SCOPE_HOST) != (ignore->vm == NULL))
        wrong =
            g_strdup_printf("%s is no check of %s", id, ignore->vm == NULL ? "the host" : "VMs");
    if (wrong == NULL)
        wrong = parse_reason(value, ignore);
    if (wrong == NULL)
        g_ptr_array_add(policy->ignores, ignore);
    else
        free_ignore(ignore);
    return wrong;
}

void nest_policy_set_allow(NestPolicy *policy, const char *const *allow)
{
    if (g_strv_contains(allow, "*"))
        return;
    policy->allow = g_strdupv((char **)allow);
    policy->allow_text = g_strjoinv(", ", policy->allow);
}

gboolean nest_policy_allows(const NestPolicy *policy, const char *name)
{
    if (policy == NULL || policy->allow == NULL)
        return TRUE;
    for (guint i = 0; policy->allow[i] != NULL; i++)
        if (g_pattern_match_simple(policy->allow[i], name))
            return TRUE;
    return FALSE;
}

gboolean nest_policy_refuses(const NestPolicy *policy, const char *name, GError **error)
{
    if (nest_policy_allows(policy, name))
        return FALSE;
    nest_set_error(error, NEST_ERROR_FORBIDDEN,
        "ask the administrator to add it to allow in [policy] of nestd.conf",
        "%s may not nest: by the policy of this host only %s may", name,
        *policy->allow_text != '\0' ? policy->allow_text : "no VM");
    if (error != NULL)
        nest_error_set_check(*error, "host.policy");
    return TRUE;
}

const char *nest_policy_allow_text(const NestPolicy *policy)
{
    return policy != NULL ? policy->allow_text : NULL;
}

static void apply_level(const NestPolicy *policy, NestVerdict level, NestCheck *check)
{
    gpointer value = NULL;
    gboolean bad = check->verdict == NEST_VERDICT_INFO || check->verdict >= NEST_VERDICT_WARN;
    if (!bad || !g_hash_table_lookup_extended(policy->levels, check->id, NULL, &value))
        return;
    NestVerdict wanted = GPOINTER_TO_UINT(value);
    if (wanted < level)
        check->verdict = MIN(check->verdict, wanted);
    else if (check->verdict == level)
        check->verdict = wanted;
}

static gboolean is_over(const Ignore *ignore, const char *today)
{
    return ignore->until != NULL && strcmp(today, ignore->until) > 0;
}

static gboolean concerns(const Ignore *ignore, const char *vm, const char *id)
{
    if (strcmp(ignore->id, id) != 0 || (ignore->vm == NULL) != (vm == NULL))
        return FALSE;
    return vm == NULL || g_pattern_match_simple(ignore->vm, vm);
}

/* The first that is in force, else the last one that is over, else NULL. */
static const Ignore *find_ignore(
    const NestPolicy *policy, const char *today, const char *vm, const char *id)
{
    const Ignore *over = NULL;
    for (guint i = 0; i < policy->ignores->len; i++) {
        const Ignore *ignore = g_ptr_array_index(policy->ignores, i);
        if (!concerns(ignore, vm, id))
            continue;
        if (!is_over(ignore, today))
            return ignore;
        over = ignore;
    }
    return over;
}

void nest_policy_judge(const NestPolicy *policy, const char *today, const char *vm,
    NestVerdict level, NestCheck *check)
{
    if (policy == NULL)
        return;
    apply_level(policy, level, check);
    const Ignore *ignore =
        check->verdict >= NEST_VERDICT_UNKNOWN ? find_ignore(policy, today, vm, check->id) : NULL;
    if (ignore == NULL)
        return;
    if (!is_over(ignore, today)) {
        check->ignored = g_strdup(ignore->reason);
        check->ignored_until = g_strdup(ignore->until);
        return;
    }
    char *message = g_strdup_printf(
        "%s It was ignored until %s: %s.", check->message, ignore->until, ignore->reason);
    g_free(check->message);
    check->message = message;
}

char *nest_policy_key(const NestPolicy *policy, const char *today)
{
    guint over = 0;
    for (guint i = 0; policy != NULL && i < policy->ignores->len; i++)
        over += is_over(g_ptr_array_index(policy->ignores, i), today);
    return g_strdup_printf("%u", over);
}
