/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-install-plan.h"
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-plan.h"
#include <string.h>

#define RESTART "restart"
#define DECLINE_SHOWN 64 /* characters */

static NestProblem *problem(NestErrorCode code, const char *next, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static NestProblem *problem(NestErrorCode code, const char *next, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    va_list args;
    va_start(args, format);
    g_autofree char *detail = g_strdup_vprintf(format, args);
    va_end(args);
    nest_set_error(&error, code, next, "%s", detail);
    return nest_problem_from_error(error);
}

NestProblem *nest_install_plan_obstacle(const NestVmView *view)
{
    g_autofree char *next = NULL;
    const char *name = view->facts->name;
    NestVmState state = view->facts->state;
    if (nest_vm_view_nesting(view) == NEST_NESTING_OFF) {
        next = g_strdup_printf("nestctl enable %s", name);
        return problem(NEST_ERROR_VM_UNFIT, next,
            "%s is not set up for nesting: a hypervisor in it could not run VMs", name);
    }
    if (state == NEST_VM_RUNNING)
        return NULL;
    next = g_strdup_printf("nestctl %s %s", state == NEST_VM_PAUSED ? "resume" : "start", name);
    return problem(NEST_ERROR_VM_STATE, next, "%s is %s: nothing can be installed in it", name,
        nest_nick(nest_vm_state_nicks, state));
}

/* ---- what refuses ---- */

/* As if it had the role already. */
static NestProblem *gate(const NestVmView *view, const NestGuestFacts *windows)
{
    static const char *const gates[] = {"win.build", "win.edition", "win.boot-risk", NULL};
    if (windows == NULL)
        return NULL;
    NestGuestFacts facts = *windows;
    facts.hyperv = NEST_ANSWER_YES;
    g_autoptr(NestVm) vm = nest_checks_vm(view);
    g_autoptr(GPtrArray) checks = nest_checks_guest(vm, &facts, view->policy, view->today);
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (g_strv_contains(gates, check->id) && nest_check_concerns(check) &&
            check->verdict != NEST_VERDICT_WARN)
            return problem(NEST_ERROR_VM_UNFIT, check->fix, "%s: %s", check->id, check->message);
    }
    return NULL;
}

static NestProblem *unmet(const NestVmView *view, const GPtrArray *facts, const GArray *states)
{
    for (guint i = 0; i < facts->len; i++) {
        const NestRecipeFact *fact = g_ptr_array_index(facts, i);
        if (g_array_index(states, NestRecipeState, i) == NEST_RECIPE_THERE)
            continue;
        g_auto(GStrv) parts = g_strsplit(fact->next != NULL ? fact->next : "", "{vm}", -1);
        g_autofree char *next = g_strjoinv(view->facts->name, parts);
        return problem(NEST_ERROR_VM_UNFIT, *next != '\0' ? next : NULL, "%s", fact->title);
    }
    return NULL;
}

static NestProblem *no_recipe(const NestRecipeLook *look)
{
    return problem(NEST_ERROR_UNSUPPORTED,
        "install it by hand, or write a recipe: see recipes in nestd.conf(5)",
        "nestd does not know how to install a hypervisor in %s",
        look->guest->os != NULL          ? look->guest->os
            : look->guest->os_id != NULL ? look->guest->os_id
                                         : "a guest that does not say what it is");
}

static NestProblem *wrong_decline(const NestRecipe *recipe, const char *const *decline)
{
    for (; decline != NULL && *decline != NULL; decline++) {
        const NestRecipeStep *step = nest_recipe_step(recipe, *decline);
        if (step != NULL && step->optional)
            continue;
        g_autofree char *shown =
            g_utf8_substring(*decline, 0, MIN(g_utf8_strlen(*decline, -1), DECLINE_SHOWN));
        return problem(
            NEST_ERROR_INVALID_REQUEST, NULL, "\"%s\" is no optional item of this plan", shown);
    }
    return NULL;
}

/* ---- the items ---- */

static NestPlanItem *add_item(
    NestPlan *plan, const char *id, const char *title, const char *current, const char *target)
{
    NestPlanItem *item = nest_record_new(&nest_plan_item_record);
    item->id = g_strdup(id);
    item->title = g_strdup(title);
    item->current = g_strdup(current);
    item->target = g_strdup(target);
    g_ptr_array_add(plan->items, item);
    return item;
}

static gboolean is_declined(const char *id, const char *const *decline)
{
    return decline != NULL && g_strv_contains(decline, id);
}

/* TRUE if something takes effect by a restart. */
static gboolean add_steps(NestPlan *plan, const NestRecipeLook *look, const char *const *decline)
{
    gboolean restart = FALSE;
    for (guint i = 0; i < look->recipe->steps->len; i++) {
        const NestRecipeStep *step = g_ptr_array_index(look->recipe->steps, i);
        NestRecipeState state = g_array_index(look->steps, NestRecipeState, i);
        if (is_declined(step->id, decline) || state == NEST_RECIPE_THERE)
            continue;
        restart = restart || step->restart || state == NEST_RECIPE_AFTER_RESTART;
        if (state == NEST_RECIPE_MISSING)
            add_item(plan, step->id, step->title, step->current, step->target)->optional =
                step->optional;
    }
    return restart;
}

static void add_restart(NestPlan *plan, gboolean allowed)
{
    if (allowed) {
        NestPlanItem *item =
            add_item(plan, RESTART, "restart of the guest", NULL, "restarted, and looked at again");
        item->detail = g_strdup("what runs in it ends");
        item->destructive = TRUE;
        return;
    }
    const char *warnings[] = {NULL, NULL};
    g_autofree char *warning = g_strdup_printf("It takes effect when the guest is restarted, which "
                                               "is left to you: add --reboot, or restart it, and "
                                               "have it looked at again by nestctl guest "
                                               "install-hypervisor %s.",
        plan->name);
    warnings[0] = warning;
    plan->warnings = g_strdupv((char **)warnings);
}

static void hash_text(GChecksum *sum, const char *text)
{
    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
}

static void hash_states(GChecksum *sum, const GArray *states)
{
    g_checksum_update(sum, (const guchar *)states->data,
        (gssize)(states->len * g_array_get_element_size((GArray *)states)));
}

static char *make_hash(
    const NestPlan *plan, const NestRecipeLook *look, gboolean restart, const char *const *decline)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    hash_text(sum, plan->uuid);
    hash_text(sum, restart ? RESTART : "");
    if (look->recipe != NULL) {
        g_autofree char *text = nest_codec_to_text(&nest_recipe_record, look->recipe);
        hash_text(sum, text);
    }
    hash_states(sum, look->needs);
    hash_states(sum, look->steps);
    for (; decline != NULL && *decline != NULL; decline++)
        hash_text(sum, *decline);
    hash_text(sum, plan->problem != NULL ? plan->problem->detail : "");
    return g_strdup(g_checksum_get_string(sum));
}

static void fill(NestPlan *plan, const NestVmView *view, const NestRecipeLook *look,
    gboolean restart, const char *const *decline)
{
    plan->problem = look->recipe == NULL ? no_recipe(look) : wrong_decline(look->recipe, decline);
    if (plan->problem != NULL)
        return;
    gboolean waits = add_steps(plan, look, decline);
    if (plan->items->len == 0 && !waits) {
        plan->problem = unmet(view, look->recipe->proofs, look->proofs);
        return;
    }
    plan->problem = gate(view, look->windows);
    if (plan->problem == NULL && plan->items->len > 0)
        plan->problem = unmet(view, look->recipe->needs, look->needs);
    if (waits)
        add_restart(plan, restart);
}

NestPlan *nest_install_plan_make(const NestVmView *view, const NestRecipeLook *look,
    gboolean restart, const char *const *decline)
{
    NestPlan *plan = nest_plan_new();
    plan->uuid = g_strdup(view->facts->uuid);
    plan->name = g_strdup(view->facts->name);
    plan->enable = TRUE;
    fill(plan, view, look, restart, decline);
    if (plan->problem != NULL) {
        while (plan->items->len > 0)
            nest_plan_item_free(g_ptr_array_remove_index(plan->items, plan->items->len - 1));
        g_clear_pointer(&plan->warnings, g_strfreev);
    }
    plan->verdict = plan->problem != NULL ? NEST_PLAN_REFUSED
        : plan->items->len > 0            ? NEST_PLAN_STEPS
                                          : NEST_PLAN_NO_CHANGE;
    plan->hash = make_hash(plan, look, restart, decline);
    return plan;
}

const char *nest_install_plan_missing(
    const NestRecipeLook *look, const char *const *decline, gboolean *ret_restart)
{
    *ret_restart = FALSE;
    for (guint i = 0; i < look->recipe->steps->len; i++) {
        const NestRecipeStep *step = g_ptr_array_index(look->recipe->steps, i);
        NestRecipeState state = g_array_index(look->steps, NestRecipeState, i);
        if (is_declined(step->id, decline))
            continue;
        if (state == NEST_RECIPE_MISSING)
            return step->title;
        *ret_restart = *ret_restart || state == NEST_RECIPE_AFTER_RESTART;
    }
    for (guint i = 0; !*ret_restart && i < look->recipe->proofs->len; i++) {
        const NestRecipeFact *fact = g_ptr_array_index(look->recipe->proofs, i);
        if (g_array_index(look->proofs, NestRecipeState, i) != NEST_RECIPE_THERE)
            return fact->title;
    }
    return NULL;
}
