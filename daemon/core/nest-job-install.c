/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-error.h"
#include "nest-job-guard.h"
#include "nest-plan.h"
#include <string.h>

/* A hypervisor gets into the guest of a VM, by a recipe: what is missing of it is done step by
 * step, each looked at afterwards; then the guest is restarted if that may be, and all is looked at
 * again. Nothing of it is taken back: packages that others came to need must not go. */

#define LOOK_SECONDS 40
/* In the middle of it: guests are never as busy as when packages have just been installed. */
#define PATIENT_SECONDS 300
#define RECOVER_SECONDS 15

/* What the steps need, kept in the intent. */
struct NestInstall {
    NestRecipe *recipe;
    GStrv steps; /* ids of those to be done */
    GStrv decline;
    gboolean restart;
};

static const NestField install_fields[] = {
    {"recipe", NEST_FIELD_RECORD, NEST_FIELD_REQUIRED, offsetof(NestInstall, recipe), NULL,
        &nest_recipe_record},
    {"steps", NEST_FIELD_STRV, NEST_FIELD_REQUIRED, offsetof(NestInstall, steps), NULL, NULL},
    {"decline", NEST_FIELD_STRV, NEST_FIELD_OPTIONAL, offsetof(NestInstall, decline), NULL, NULL},
    {"restart", NEST_FIELD_BOOL, NEST_FIELD_OPTIONAL, offsetof(NestInstall, restart), NULL, NULL},
};
static const NestRecord install_record = {
    "install", sizeof(NestInstall), install_fields, G_N_ELEMENTS(install_fields)};

void nest_install_free(NestInstall *install)
{
    nest_record_free(&install_record, install);
}

static void add_note(NestJob *job, const char *text)
{
    NestOperation *operation = job->intent->operation;
    g_autofree char *before = g_steal_pointer(&operation->note);
    operation->note =
        g_strconcat(before != NULL ? before : "", before != NULL ? "; " : "", text, NULL);
}

/* Looks at the job's recipe, whatever the recipes are now. */
static NestRecipeLook *look(NestJob *job, guint seconds, GError **error)
{
    g_autoptr(GPtrArray) recipes = g_ptr_array_new();
    g_ptr_array_add(recipes, job->install->recipe);
    g_autoptr(NestRecipeLook) look =
        nest_recipe_find(job->backend, nest_job_uuid(job), recipes, error);
    if (look == NULL)
        return NULL;
    look->recipe = job->install->recipe;
    return nest_recipe_look(
               job->backend, nest_job_uuid(job), look, seconds, job->cancellable, error)
        ? g_steal_pointer(&look)
        : NULL;
}

static NestRecipeState state_of(const NestRecipeLook *look, const NestRecipeStep *wanted)
{
    for (guint i = 0; i < look->recipe->steps->len; i++)
        if (g_ptr_array_index(look->recipe->steps, i) == wanted)
            return g_array_index(look->steps, NestRecipeState, i);
    return NEST_RECIPE_MISSING;
}

static gboolean carry_out(NestJob *job, const NestRecipeStep *step, GError **error)
{
    if (!nest_recipe_apply(
            job->backend, nest_job_uuid(job), job->install->recipe, step, job->cancellable, error))
        return FALSE;
    g_autoptr(NestRecipeLook) after = look(job, PATIENT_SECONDS, error);
    if (after == NULL)
        return FALSE;
    if (state_of(after, step) != NEST_RECIPE_MISSING)
        return TRUE;
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "look at it in the guest",
        "\"%s\" went well in the guest, but is still %s", step->title,
        step->current != NULL ? step->current : "missing");
    return FALSE;
}

static gboolean apply(NestJob *job, GError **error)
{
    const NestRecipeStep *step =
        nest_recipe_step(job->install->recipe, job->install->steps[job->at]);
    job->stays = TRUE;
    if (carry_out(job, step, error))
        return TRUE;
    add_note(job, "what was installed in the guest until then stays");
    return FALSE;
}

static gboolean restart(NestJob *job, GError **error)
{
    const char *uuid = nest_job_uuid(job);
    job->stays = TRUE;
    return job->backend->ops->restart(job->backend, uuid, FALSE,
               job->config->shutdown_timeout * 1000, job->cancellable, error) &&
        nest_recipe_wait(job->backend, uuid, job->config->boot_timeout, job->cancellable, error);
}

static void note_restart(NestJob *job)
{
    g_autofree char *note = g_strdup_printf("it takes effect when the guest is restarted: nestctl "
                                            "guest install-hypervisor %s --reboot",
        nest_job_name(job));
    add_note(job, note);
}

/* What is not so yet, for people; NULL: all is. NULL with error: that can't be told. */
static char *find_flaw(NestJob *job, GError **error)
{
    const char *const *decline = (const char *const *)job->install->decline;
    gboolean waits = FALSE;
    g_autoptr(NestRecipeLook) now = look(job, PATIENT_SECONDS, error);
    if (now == NULL)
        return NULL;
    const char *missing = nest_install_plan_missing(now, decline, &waits);
    if (missing != NULL)
        return g_strdup(missing);
    if (waits && job->install->restart)
        return g_strdup("it still waits for a restart");
    if (waits)
        note_restart(job);
    return NULL;
}

/* A guest that was just restarted comes by and by: its services, and its agent once more, for some
 * restart twice. */
static gboolean prove(NestJob *job, GError **error)
{
    gint64 deadline = g_get_monotonic_time() +
        (job->install->restart ? job->config->boot_timeout : 0) * G_USEC_PER_SEC;
    for (;;) {
        g_autoptr(GError) cause = NULL;
        g_autofree char *flaw = find_flaw(job, &cause);
        if (flaw == NULL && cause == NULL)
            return TRUE;
        if (g_get_monotonic_time() < deadline && (flaw != NULL || nest_recipe_may_come(cause))) {
            if (!nest_recipe_rest(job->cancellable, error))
                return FALSE;
            continue;
        }
        if (cause != NULL)
            g_propagate_error(error, g_steal_pointer(&cause));
        else
            nest_set_error(error, NEST_ERROR_NOT_VERIFIED, "look at it in the guest",
                "all was carried out in the guest, but: %s", flaw);
        return FALSE;
    }
}

static const NestJobStep apply_step = {"apply", "", apply, NULL, FALSE};
static const NestJobStep restart_step = {
    "restart", "the guest was restarted", restart, NULL, FALSE};
static const NestJobStep prove_step = {"proof", "all of it works", prove, NULL, FALSE};

/* ---- before ---- */

/* ret_look: NULL where there is nothing to look at. */
static NestPlan *make_plan(NestBackend *backend, const GPtrArray *recipes, const NestVmView *view,
    const NestInstallWish *wish, NestRecipeLook **ret_look, GError **error)
{
    NestProblem *obstacle = nest_install_plan_obstacle(view);
    if (obstacle != NULL)
        return nest_plan_nothing(view, obstacle);
    const char *uuid = view->facts->uuid;
    g_autoptr(NestRecipeLook) look = nest_recipe_find(backend, uuid, recipes, error);
    if (look == NULL ||
        (look->recipe != NULL && !nest_recipe_look(backend, uuid, look, LOOK_SECONDS, NULL, error)))
        return NULL;
    NestPlan *plan =
        nest_install_plan_make(view, look, wish->reboot, (const char *const *)wish->decline);
    *ret_look = g_steal_pointer(&look);
    return plan;
}

NestPlan *nest_job_install_plan(NestBackend *backend, const GPtrArray *recipes,
    const NestVmView *view, const NestInstallWish *wish, GError **error)
{
    g_autoptr(NestRecipeLook) look = NULL;
    return make_plan(backend, recipes, view, wish, &look, error);
}

/* A plan that was shown before anything was declined is the same plan. */
static gboolean is_current(NestJob *job, const NestRecipeLook *look)
{
    const NestInstallWish *wish = job->request->install;
    if (wish->plan == NULL || g_strcmp0(wish->plan, job->plan->hash) == 0)
        return TRUE;
    if (look == NULL)
        return FALSE;
    g_autoptr(NestPlan) whole =
        nest_install_plan_make(&job->reading->view, look, wish->reboot, NULL);
    return g_strcmp0(wish->plan, whole->hash) == 0;
}

static void keep(NestJob *job, const NestRecipeLook *look)
{
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
    NestInstall *install = g_new0(NestInstall, 1);
    for (guint i = 0; i < job->plan->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(job->plan->items, i);
        if (nest_recipe_step(look->recipe, item->id) != NULL)
            g_strv_builder_add(ids, item->id);
    }
    install->recipe = nest_record_copy(&nest_recipe_record, look->recipe);
    install->steps = g_strv_builder_end(ids);
    install->decline = g_strdupv(job->request->install->decline);
    install->restart = nest_plan_item(job->plan, "restart") != NULL;
    job->install = install;
    job->intent->detail = nest_codec_to_text(&install_record, install);
}

/* Shown with the recipe's words. */
static void add_step(NestJob *job, const NestRecipeStep *step)
{
    nest_job_add_step(job, &apply_step);
    GPtrArray *shown = job->intent->operation->steps;
    NestStep *last = g_ptr_array_index(shown, shown->len - 1);
    g_free(last->id);
    g_free(last->title);
    last->id = g_strdup(step->id);
    last->title = g_strdup(step->title);
}

static void add_steps(NestJob *job)
{
    const NestInstall *install = job->install;
    for (char **id = install->steps; *id != NULL; id++)
        add_step(job, nest_recipe_step(install->recipe, *id));
    if (install->restart)
        nest_job_add_step(job, &restart_step);
    nest_job_add_step(job, &prove_step);
}

static gboolean take_plan(NestJob *job, const NestRecipeLook *look, GError **error)
{
    if (!is_current(job, look)) {
        nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "look at the new plan and decide anew",
            "the guest of %s changed since the plan was made", nest_job_name(job));
        return FALSE;
    }
    if (job->plan->verdict == NEST_PLAN_REFUSED) {
        nest_problem_to_error(job->plan->problem, error);
        return FALSE;
    }
    if (job->plan->verdict == NEST_PLAN_NO_CHANGE)
        return TRUE;
    keep(job, look);
    if (job->install->restart && !nest_job_guard(job, NEST_GUARD_REBOOT, error))
        return FALSE;
    add_steps(job);
    return TRUE;
}

static gboolean prepare(NestJob *job, GError **error)
{
    g_autoptr(NestRecipeLook) look = NULL;
    nest_job_set_kind(job, "install-hypervisor");
    if (!nest_job_read_vm(job, error))
        return FALSE;
    job->plan = make_plan(
        job->backend, job->recipes, &job->reading->view, job->request->install, &look, error);
    return job->plan != NULL && take_plan(job, look, error);
}

/* ---- after an interruption ---- */

/* What is there is looked up here: recover() is pure. What was under way may still be: a package
 * manager keeps a second one out by itself, and none is started here. */
static gboolean resume(NestJob *job, GError **error)
{
    gboolean waits = FALSE;
    job->install =
        nest_codec_from_text(&install_record, job->intent->detail, -1, NEST_CODEC_LENIENT, error);
    if (job->install == NULL)
        return FALSE;
    g_autoptr(NestRecipeLook) now = look(job, RECOVER_SECONDS, NULL);
    job->touched = now != NULL &&
        nest_install_plan_missing(now, (const char *const *)job->install->decline, &waits) ==
            NULL &&
        !waits;
    return TRUE;
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    if (reading != NULL && job->touched)
        return NEST_RECOVERY_DONE;
    *note = reading == NULL ? "the virtual machine is gone"
        : reading->live == NULL
        ? "it does not run any more, and what was installed in the guest stays"
        : "what was under way in the guest may still be; nestctl guest install-hypervisor does "
          "what is missing";
    return NEST_RECOVERY_LEAVE;
}

const NestJobType nest_job_install = {prepare, resume, recover, NULL};
