/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-planning.h"
#include "nest-plan-hash.h"
#include "nest-record.h"
#include <string.h>

NestHostPlanning *nest_host_planning_new(const NestHostFacts *host, const NestHostRepair *repair)
{
    NestHostPlanning *planning = g_new0(NestHostPlanning, 1);
    planning->host = host;
    planning->repair = repair;
    planning->plan = nest_plan_new();
    planning->change = nest_host_change_new();
    planning->warnings = g_strv_builder_new();
    return planning;
}

void nest_host_planning_free(NestHostPlanning *planning)
{
    nest_plan_free(planning->plan);
    nest_host_change_free(planning->change);
    g_strv_builder_unref(planning->warnings);
    g_clear_error(&planning->obstacle);
    g_free(planning);
}

NestPlanItem *nest_host_planning_item(
    NestHostPlanning *planning, const char *id, char *title, char *current, char *target)
{
    NestPlanItem *item = nest_record_new(&nest_plan_item_record);
    item->id = g_strdup(id);
    item->title = title;
    item->current = current;
    item->target = target;
    g_ptr_array_add(planning->plan->items, item);
    return item;
}

void nest_host_planning_warn(NestHostPlanning *planning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_strv_builder_add(planning->warnings, text);
}

void nest_host_planning_obstacle(
    NestHostPlanning *planning, NestErrorCode code, const char *next, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (planning->obstacle == NULL)
        nest_set_error(&planning->obstacle, code, next, "%s", text);
    nest_host_planning_warn(planning, "%s; what to do: %s.", text, next);
}

/* "qemu-system-x86 (4711), firecracker (12)" */
static char *users_text(const NestHostRepair *repair, const char *count)
{
    g_autofree char *names = g_strjoinv(", ", repair->users);
    if (*names != '\0')
        return g_steal_pointer(&names);
    return strcmp(count, "1") == 0 ? g_strdup("something (once)")
                                   : g_strdup_printf("something (%s times)", count);
}

gboolean nest_host_planning_can_unload(NestHostPlanning *planning, const char *module)
{
    const NestHostTuning *tuning = &planning->host->tuning;
    const NestFact *users = &tuning->facts[NEST_TUNING_USERS];
    if (nest_host_tuning_built_in(tuning)) {
        g_autofree char *next =
            g_strdup_printf("put %s.nested=1 on the kernel's command line, and reboot", module);
        nest_host_planning_obstacle(planning, NEST_ERROR_HOST_UNFIT, next,
            "%s is built into the kernel and can't be loaded anew", module);
    } else if (users->missing || planning->repair->modules_disabled) {
        nest_host_planning_obstacle(planning, NEST_ERROR_HOST_UNFIT, "reboot",
            "%s can't be loaded anew: %s", module,
            users->missing ? "this kernel unloads no modules"
                           : "modules are locked until the next boot");
    } else if (users->value == NULL) {
        nest_host_planning_obstacle(planning, NEST_ERROR_HOST_UNFIT, "see that nestd may read it",
            "whether VMs use %s could not be read: %s", module, users->error);
    } else if (strcmp(users->value, "0") != 0) {
        g_autofree char *text = users_text(planning->repair, users->value);
        nest_host_planning_obstacle(planning, NEST_ERROR_HOST_BUSY,
            "turn these VMs off and do it again, or reboot once the configuration is right",
            "%s is in use by %s and can't be loaded anew", module, text);
    } else {
        return TRUE;
    }
    return FALSE;
}

static char *hash_plan(const NestHostPlanning *planning, const char *const *decline)
{
    const NestPlan *plan = planning->plan;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *change = nest_host_change_to_text(planning->change);
    nest_plan_hash_text(sum, change);
    nest_plan_hash_text(sum, plan->problem != NULL ? plan->problem->detail : NULL);
    for (guint i = 0; decline != NULL && decline[i] != NULL; i++)
        nest_plan_hash_text(sum, decline[i]);
    return g_strdup(g_checksum_get_string(sum));
}

NestPlan *nest_host_planning_end(NestHostPlanning *planning, const char *const *decline,
    gboolean nests, NestHostChange **ret_change)
{
    NestPlan *plan = planning->plan;
    gboolean refused = plan->items->len == 0 && planning->obstacle != NULL;
    plan->enable = nests;
    plan->verdict = refused    ? NEST_PLAN_REFUSED
        : plan->items->len > 0 ? NEST_PLAN_STEPS
                               : NEST_PLAN_NO_CHANGE;
    if (refused)
        plan->problem = nest_problem_from_error(planning->obstacle);
    plan->warnings = g_strv_builder_end(planning->warnings);
    plan->hash = hash_plan(planning, decline);
    *ret_change = g_steal_pointer(&planning->change);
    return g_steal_pointer(&planning->plan);
}

NestPlan *nest_host_planning_refuse(
    NestHostPlanning *planning, const GError *error, NestHostChange **ret_change)
{
    g_clear_error(&planning->obstacle);
    planning->obstacle = g_error_copy(error);
    return nest_host_planning_end(planning, NULL, FALSE, ret_change);
}
