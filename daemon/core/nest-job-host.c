/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-host-plan.h"
#include "nest-host-undo.h"
#include "nest-job.h"
#include "nest-plan.h"
#include "nest-saved-file.h"
#include <string.h>

/* The repair of the host, and its undo: settings are brought from what they were to what they shall
 * be, one after the other, each read back. */

#define LINKS "links"

static const char *root_of(const NestJob *job)
{
    return job->config->host_root;
}

static gboolean read_setting(
    const NestJob *job, const NestHostSetting *setting, char **ret_value, GError **error)
{
    return nest_host_setting_read(root_of(job), setting->kind, setting->target, ret_value, error);
}

/* Puts value and reads it back. */
static gboolean put(NestJob *job, const NestHostSetting *setting, const char *value, GError **error)
{
    g_autofree char *then = NULL;
    if (!nest_host_setting_put(
            job->hands, root_of(job), setting->kind, setting->target, value, error) ||
        !read_setting(job, setting, &then, error))
        return FALSE;
    if (nest_host_setting_same(setting->kind, then, value))
        return TRUE;
    g_autofree char *target = nest_host_change_target_text(setting);
    g_autofree char *found = nest_host_change_value_text(setting, then, value);
    nest_set_error(error, NEST_ERROR_NOT_VERIFIED, NULL,
        "%s was changed, but reads back differently: %s", target,
        setting->kind == NEST_HOST_FILE && then != NULL ? "other content" : found);
    return FALSE;
}

static void say_changed(const NestHostSetting *setting, GError **error)
{
    g_autofree char *target = nest_host_change_target_text(setting);
    nest_set_error(error, NEST_ERROR_HOST_CHANGED, "look at it and try again",
        "%s was changed by somebody else meanwhile", target);
}

static gboolean apply(NestJob *job, const NestHostSetting *setting, GError **error)
{
    g_autofree char *now = NULL;
    if (!read_setting(job, setting, &now, error))
        return FALSE;
    if (nest_host_setting_same(setting->kind, now, setting->before))
        return put(job, setting, setting->after, error);
    say_changed(setting, error);
    return FALSE;
}

/* A module that was being loaded anew may be left unloaded. */
static gboolean is_ours(const NestHostSetting *setting, const char *now)
{
    return nest_host_setting_same(setting->kind, now, setting->after) ||
        (setting->kind == NEST_HOST_NESTED && now == NULL);
}

/* A device that is gone took its settings with it. */
static gboolean is_gone(const NestHostSetting *setting, const char *now)
{
    return setting->kind == NEST_HOST_LINK && now == NULL;
}

static gboolean undo(NestJob *job, const NestHostSetting *setting, GError **error)
{
    g_autofree char *now = NULL;
    if (!read_setting(job, setting, &now, error))
        return FALSE;
    if (nest_host_setting_same(setting->kind, now, setting->before) || is_gone(setting, now))
        return TRUE;
    if (is_ours(setting, now))
        return put(job, setting, setting->before, error);
    say_changed(setting, error);
    return FALSE;
}

/* A step brings its settings about: that of its id, or all devices of the network. */
static gboolean belongs(const NestHostSetting *setting, const char *step)
{
    return strcmp(setting->kind == NEST_HOST_LINK ? LINKS : setting->id, step) == 0;
}

static gboolean apply_step(NestJob *job, const char *id, GError **error)
{
    for (guint i = 0; i < job->change->settings->len; i++) {
        const NestHostSetting *setting = g_ptr_array_index(job->change->settings, i);
        if (belongs(setting, id) && !apply(job, setting, error))
            return FALSE;
    }
    return TRUE;
}

/* All that can be taken back is; the first failure is told. */
static gboolean undo_step(NestJob *job, const char *id, GError **error)
{
    gboolean good = TRUE;
    for (guint i = job->change->settings->len; i > 0; i--) {
        const NestHostSetting *setting = g_ptr_array_index(job->change->settings, i - 1);
        if (belongs(setting, id) && !undo(job, setting, good ? error : NULL))
            good = FALSE;
    }
    return good;
}

#define FUNCTIONS(name, id) \
    static gboolean apply_##name(NestJob *job, GError **error) \
    { \
        return apply_step(job, id, error); \
    } \
    static gboolean undo_##name(NestJob *job, GError **error) \
    { \
        return undo_step(job, id, error); \
    }
FUNCTIONS(module, "module")
FUNCTIONS(drop_in, "drop-in")
FUNCTIONS(rule, "rule")
FUNCTIONS(access, "access")
FUNCTIONS(guests, "libvirt-guests")
FUNCTIONS(links, LINKS)

static const NestJobStep steps[] = {
    {"module", "kernel module of KVM", apply_module, undo_module, FALSE},
    {"drop-in", "/" NEST_HOST_DROP_IN, apply_drop_in, undo_drop_in, FALSE},
    {"rule", "/" NEST_HOST_RULE, apply_rule, undo_rule, FALSE},
    {"access", "access to /dev/kvm", apply_access, undo_access, FALSE},
    {"libvirt-guests", "configuration of libvirt-guests", apply_guests, undo_guests, FALSE},
    {LINKS, "devices of the network", apply_links, undo_links, FALSE},
};

static const NestJobStep *step_of(const NestHostSetting *setting)
{
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        if (belongs(setting, steps[i].id))
            return &steps[i];
    return NULL;
}

static gboolean has_step(const NestJob *job, const NestJobStep *step)
{
    return job->n_steps > 0 && job->steps[job->n_steps - 1] == step;
}

/* The step is shown with the words of the plan, where it is its item's main one. */
static void add_step(NestJob *job, const NestHostSetting *setting)
{
    const NestPlanItem *item = nest_plan_item(job->plan, setting->id);
    if (item == NULL && strcmp(setting->id, "rule") != 0)
        item = nest_plan_item(job->plan, setting->item);
    if (has_step(job, step_of(setting)))
        return;
    nest_job_add_step(job, step_of(setting));
    GPtrArray *shown = job->intent->operation->steps;
    NestStep *step = g_ptr_array_index(shown, shown->len - 1);
    if (item == NULL || setting->kind == NEST_HOST_LINK)
        return;
    g_free(step->title);
    step->title = g_strdup(item->title);
}

static gboolean take_plan(NestJob *job, gboolean current, GError **error)
{
    if (!current) {
        nest_set_error(error, NEST_ERROR_PLAN_OUTDATED, "look at the new plan and decide anew",
            "the host changed since the plan was made");
        return FALSE;
    }
    if (job->plan->verdict == NEST_PLAN_REFUSED) {
        nest_problem_to_error(job->plan->problem, error);
        return FALSE;
    }
    if (job->plan->verdict == NEST_PLAN_NO_CHANGE)
        return TRUE;
    job->intent->detail = nest_host_change_to_text(job->change);
    job->intent->after_xml = g_strdup(job->intent->detail);
    for (guint i = 0; i < job->change->settings->len; i++)
        add_step(job, g_ptr_array_index(job->change->settings, i));
    return TRUE;
}

static NestPlan *make_fix(NestHostSnapshot *host, const char *root, const NestHostBlocks *blocks,
    const char *const *decline, NestHostChange **ret_change)
{
    g_autoptr(NestHostRepair) repair = nest_host_repair_read(root, host->facts);
    return nest_host_plan_make(host->facts, repair, blocks, decline, ret_change);
}

NestPlan *nest_job_host_plan_fix(NestHostSnapshot *host, const char *root,
    const NestHostBlocks *blocks, const char *const *decline)
{
    g_autoptr(NestHostChange) change = NULL;
    return make_fix(host, root, blocks, decline, &change);
}

static gboolean prepare_fix(NestJob *job, GError **error)
{
    const NestHostWish *wish = job->request->host;
    g_autoptr(NestHostBlocks) blocks = nest_host_blocks_take(job->backend, job->host, job->marks);
    nest_job_set_kind(job, "host-fix");
    job->plan =
        make_fix(job->host, root_of(job), blocks, (const char *const *)wish->decline, &job->change);
    gboolean current = wish->plan == NULL || g_strcmp0(wish->plan, job->plan->hash) == 0;
    if (!current) {
        /* A plan that was shown before anything was declined is the same plan. */
        g_autoptr(NestPlan) whole = nest_job_host_plan_fix(job->host, root_of(job), blocks, NULL);
        current = g_strcmp0(wish->plan, whole->hash) == 0;
    }
    return take_plan(job, current, error);
}

static gboolean read_values(
    const char *root, const NestHostChange *change, GPtrArray *values, GError **error)
{
    for (guint i = 0; change != NULL && i < change->settings->len; i++) {
        const NestHostSetting *setting = g_ptr_array_index(change->settings, i);
        char *value = NULL;
        if (!nest_host_setting_read(root, setting->kind, setting->target, &value, error))
            return FALSE;
        g_ptr_array_add(values, value);
    }
    return TRUE;
}

static NestPlan *make_undo(NestHostSnapshot *host, const char *root, NestStore *store, gint64 to,
    NestHostChange **ret_change, GError **error)
{
    g_autoptr(NestStoredRevision) revision = NULL;
    g_autoptr(NestHostChange) done = NULL;
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    if (!nest_store_revision(store, NULL, to, &revision, error))
        return NULL;
    if (revision != NULL) {
        done = nest_host_change_from_text(revision->after_xml, error);
        if (done == NULL || !read_values(root, done, values, error))
            return NULL;
    }
    g_autoptr(NestHostRepair) repair = nest_host_repair_read(root, host->facts);
    g_autoptr(NestHostPlanning) planning = nest_host_planning_new(host->facts, repair);
    return nest_host_undo_plan(planning, done, values, to, ret_change);
}

NestPlan *nest_job_host_plan_undo(
    NestHostSnapshot *host, const char *root, NestStore *store, gint64 to, GError **error)
{
    g_autoptr(NestHostChange) change = NULL;
    return make_undo(host, root, store, to, &change, error);
}

static gboolean prepare_undo(NestJob *job, GError **error)
{
    const NestUndoWish *wish = job->request->undo;
    nest_job_set_kind(job, "host-undo");
    job->plan = make_undo(job->host, root_of(job), job->store, wish->to, &job->change, error);
    return job->plan != NULL &&
        take_plan(job, wish->plan == NULL || g_strcmp0(wish->plan, job->plan->hash) == 0, error);
}

static gboolean resume(NestJob *job, GError **error)
{
    job->change = nest_host_change_from_text(job->intent->detail, error);
    if (job->change == NULL)
        return FALSE;
    job->values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < job->change->settings->len; i++) {
        const NestHostSetting *setting = g_ptr_array_index(job->change->settings, i);
        const NestJobStep *step = step_of(setting);
        if (step != NULL && has_step(job, step))
            continue;
        if (step == NULL || job->n_steps >= NEST_JOB_STEPS_MAX) {
            nest_set_error(error, NEST_ERROR_STORE, NULL,
                "\"%s\" is nothing that this version changes on a host", setting->id);
            return FALSE;
        }
        job->steps[job->n_steps++] = step;
        if (setting->kind == NEST_HOST_FILE)
            nest_saved_file_sweep(root_of(job), setting->target);
    }
    return read_values(root_of(job), job->change, job->values, error);
}

static NestRecovery recover(const NestJob *job, const NestVmReading *reading, const char **note)
{
    guint before = 0, after = 0, gone = 0, n = job->change->settings->len;
    for (guint i = 0; i < n; i++) {
        const NestHostSetting *setting = g_ptr_array_index(job->change->settings, i);
        const char *now = g_ptr_array_index(job->values, i);
        before += nest_host_setting_same(setting->kind, now, setting->before);
        after += nest_host_setting_same(setting->kind, now, setting->after);
        gone += is_gone(setting, now);
    }
    if (after > 0 && after + gone == n)
        return NEST_RECOVERY_DONE;
    return before + gone == n ? NEST_RECOVERY_UNTOUCHED : NEST_RECOVERY_UNDO;
}

const NestJobType nest_job_host_fix = {prepare_fix, resume, recover, NULL};
const NestJobType nest_job_host_undo = {prepare_undo, resume, recover, NULL};
