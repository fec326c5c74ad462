/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-undo.h"
#include <string.h>

static gboolean refuse_missing(const NestHostChange *done, gint64 wanted, GError **error)
{
    if (done != NULL)
        return FALSE;
    if (wanted == 0)
        nest_set_error(error, NEST_ERROR_VM_STATE, NULL,
            "there is nothing to undo: nestd has not changed this host");
    else
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, "nestctl host history",
            "the host has no revision %" G_GINT64_FORMAT, wanted);
    return TRUE;
}

static gboolean refuse_changed(const NestHostSetting *setting, const char *now, GError **error)
{
    if (setting->kind != NEST_HOST_FILE ||
        nest_host_setting_same(setting->kind, now, setting->after) ||
        nest_host_setting_same(setting->kind, now, setting->before))
        return FALSE;
    nest_set_error(error, NEST_ERROR_HOST_CHANGED, "look at it, and change it by hand",
        "/%s was changed since nestd wrote it, and going back would lose that", setting->target);
    return TRUE;
}

static char *title_of(const NestHostSetting *setting)
{
    switch (setting->kind) {
    case NEST_HOST_NESTED:
        return setting->before == NULL
            ? g_strdup_printf("kernel module %s unloaded", setting->target)
            : g_strdup_printf("%s loaded anew as it was", setting->target);
    case NEST_HOST_FILE:
        return setting->before == NULL ? g_strdup_printf("/%s removed", setting->target)
                                       : g_strdup_printf("/%s as it was", setting->target);
    case NEST_HOST_ACCESS:
        return g_strdup_printf("access to /%s as it was", setting->target);
    case NEST_HOST_LINK: {
        g_autofree char *name = nest_host_change_target_text(setting);
        return g_strdup_printf("%s as it was", name);
    }
    }
    g_assert_not_reached();
}

static void plan_setting(
    NestHostPlanning *planning, const NestHostSetting *setting, const char *now)
{
    if (nest_host_setting_same(setting->kind, now, setting->before))
        return;
    if (!nest_host_setting_same(setting->kind, now, setting->after)) {
        g_autofree char *target = nest_host_change_target_text(setting);
        if (setting->kind == NEST_HOST_LINK && now == NULL)
            nest_host_planning_warn(planning, "%s is gone, and what nestd set with it.", target);
        else
            nest_host_planning_warn(
                planning, "%s is not as nestd left it, and stays as it is.", target);
        return;
    }
    if (setting->kind == NEST_HOST_NESTED &&
        !nest_host_planning_can_unload(planning, setting->target))
        return;
    gboolean file = setting->kind == NEST_HOST_FILE;
    nest_host_planning_item(planning, setting->id, title_of(setting),
        file ? NULL : nest_host_change_value_text(setting, now, setting->before),
        file ? NULL : nest_host_change_value_text(setting, setting->before, now));
    nest_host_change_add(planning->change, setting->id, setting->id, setting->kind, setting->target,
        now, setting->before);
}

NestPlan *nest_host_undo_plan(NestHostPlanning *planning, const NestHostChange *done,
    const GPtrArray *values, gint64 wanted, NestHostChange **ret_change)
{
    g_autoptr(GError) error = NULL;
    gboolean nests = nest_host_nested(planning->host);
    if (refuse_missing(done, wanted, &error))
        return nest_host_planning_refuse(planning, error, ret_change);
    for (guint i = 0; i < done->settings->len; i++)
        if (refuse_changed(
                g_ptr_array_index(done->settings, i), g_ptr_array_index(values, i), &error))
            return nest_host_planning_refuse(planning, error, ret_change);
    for (guint i = done->settings->len; i > 0; i--)
        plan_setting(
            planning, g_ptr_array_index(done->settings, i - 1), g_ptr_array_index(values, i - 1));
    const NestHostSetting *module = nest_host_change_find(planning->change, "module");
    if (module != NULL)
        nests = nest_host_setting_same(NEST_HOST_NESTED, module->after, "1");
    return nest_host_planning_end(planning, NULL, nests, ret_change);
}
