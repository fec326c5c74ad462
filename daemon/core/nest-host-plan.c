/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-plan.h"
#include "nest-gift.h"
#include "nest-host-modprobe.h"
#include "nest-link-setting.h"
#include "nest-saved-file.h"
#include "nest-shell-file.h"
#include "nest-version.h"
#include <stdio.h>
#include <string.h>

#define RULE \
    "# Written by nestd: QEMU, which is in the group kvm, may use /dev/kvm.\n" \
    "KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\", OPTIONS+=\"static_node=kvm\"\n"

static const char *const optional_ids[] = {"nested-persist", "kvm-access", "libvirt-guests", NULL};

typedef struct {
    NestHostPlanning *planning;
    const NestHostFacts *host;
    const NestHostRepair *repair;
    const char *const *decline;
    const char *module;
    gboolean loaded;
} Planner;

static gboolean is_optional(const char *id)
{
    return g_strv_contains(optional_ids, id) || nest_host_block_is_id(id);
}

static gboolean is_wanted(const Planner *planner, const char *id)
{
    return planner->decline == NULL || !g_strv_contains(planner->decline, id);
}

static NestPlanItem *add(Planner *planner, const char *id, char *title, char *current, char *target)
{
    NestPlanItem *item = nest_host_planning_item(planner->planning, id, title, current, target);
    item->optional = is_optional(id);
    return item;
}

static const char *on_value(const Planner *planner)
{
    return strcmp(planner->module, "kvm_intel") == 0 ? "Y" : "1";
}

/* ---- the module ---- */

static void plan_load(Planner *planner)
{
    if (planner->repair->modules_disabled) {
        nest_host_planning_obstacle(planner->planning, NEST_ERROR_HOST_UNFIT, "reboot",
            "%s can't be loaded: modules are locked until the next boot", planner->module);
        return;
    }
    add(planner, "kvm-module", g_strdup_printf("kernel module %s loaded", planner->module),
        g_strdup("not loaded"), g_strdup("loaded, nested=1"));
    if (planner->repair->blacklisted != NULL)
        nest_host_planning_warn(planner->planning,
            "%s keeps %s from being loaded at the next boot; what to do: take that line out.",
            planner->repair->blacklisted, planner->module);
    nest_host_change_add(planner->planning->change, "module", "kvm-module", NEST_HOST_NESTED,
        planner->module, NULL, on_value(planner));
}

static void plan_nested(Planner *planner)
{
    const NestFact *nested = &planner->host->nested;
    if (nested->value == NULL) {
        nest_host_planning_obstacle(planner->planning, NEST_ERROR_HOST_UNFIT,
            "see that nestd may read it", "%s could not be read: %s", nested->path, nested->error);
        return;
    }
    if (nest_host_nested(planner->host) ||
        !nest_host_planning_can_unload(planner->planning, planner->module))
        return;
    NestPlanItem *item =
        add(planner, "nested", g_strdup_printf("nesting switched on in %s", planner->module),
            g_strdup_printf("nested=%s", nested->value), g_strdup("nested=1"));
    item->detail = g_strdup("the module is loaded anew: no VM uses it");
    nest_host_change_add(planner->planning->change, "module", "nested", NEST_HOST_NESTED,
        planner->module, nested->value, on_value(planner));
}

/* ---- the next boot ---- */

/* Linux 4.20 is the first to have it on by default on Intel; AMD always had. */
static gboolean on_by_default(const Planner *planner)
{
    return planner->host->svm ||
        nest_version_number(planner->host->kernel) >= NEST_VERSION_NUMBER(4, 20);
}

static char *drop_in_text(const Planner *planner)
{
    gsize length = 0;
    g_autofree char *old = nest_saved_file_content(planner->repair->drop_in.value, &length);
    gboolean open = old != NULL && *old != '\0' && !g_str_has_suffix(old, "\n");
    return g_strdup_printf("%s%soptions %s nested=1\n",
        old != NULL ? old : "# Written by nestd; see modprobe.d(5).\n", open ? "\n" : "",
        planner->module);
}

static void add_persist(Planner *planner, const char *where, const char *value)
{
    const NestHostRepair *repair = planner->repair;
    if (repair->drop_in.error != NULL) {
        nest_host_planning_obstacle(planner->planning, NEST_ERROR_HOST_UNFIT,
            "look at it, and change it by hand", "%s", repair->drop_in.error);
        return;
    }
    if (!is_wanted(planner, "nested-persist")) {
        nest_host_planning_warn(
            planner->planning, "Nesting is not kept: the next boot decides anew.");
        return;
    }
    gboolean others = where != NULL && strcmp(where, "/" NEST_HOST_DROP_IN) != 0;
    NestPlanItem *item = add(planner, "nested-persist", g_strdup("nesting kept over reboots"),
        where != NULL ? g_strdup_printf("%s: nested=%s", where, value)
                      : g_strdup("nothing configured"),
        g_strdup("/" NEST_HOST_DROP_IN ": nested=1"));
    if (others)
        item->detail = g_strdup_printf("it wins over %s, which stays as it is", where);
    g_autofree char *text = drop_in_text(planner);
    g_autofree char *saved = repair->drop_in.value != NULL
        ? nest_saved_file_replace(repair->drop_in.value, text, strlen(text))
        : nest_saved_file_make(0644, repair->uid, repair->gid, text, strlen(text));
    nest_host_change_add(planner->planning->change, "drop-in", "nested-persist", NEST_HOST_FILE,
        NEST_HOST_DROP_IN, repair->drop_in.value, saved);
}

static void plan_persist(Planner *planner, gboolean switches)
{
    const NestHostRepair *repair = planner->repair;
    guint i = 0;
    if (repair->nested_error != NULL)
        nest_host_planning_warn(planner->planning,
            "Whether nesting is on after the next boot can't be told for sure: %s.",
            repair->nested_error);
    /* No drop-in counts for what is built in: that is told where nesting is off. */
    gboolean built_in = planner->loaded && nest_host_tuning_built_in(&planner->host->tuning);
    if (!nest_host_modprobe_winner(repair->nested_where, &i)) {
        if (built_in)
            return;
        if (switches || !on_by_default(planner))
            add_persist(planner, NULL, NULL);
        return;
    }
    const char *where = repair->nested_where[i], *value = repair->nested_values[i];
    if (nest_host_setting_same(NEST_HOST_NESTED, value, "1"))
        return;
    if (nest_host_modprobe_yields("/" NEST_HOST_DROP_IN, where)) {
        g_autofree char *next = g_strdup_printf("take nested=%s out of %s", value,
            strcmp(where, "/proc/cmdline") == 0 ? "the kernel's command line" : where);
        nest_host_planning_obstacle(planner->planning, NEST_ERROR_HOST_UNFIT, next,
            "%s sets nested=%s and wins over %s: nesting is off after the next boot", where, value,
            "/" NEST_HOST_DROP_IN);
        return;
    }
    add_persist(planner, where, value);
}

/* ---- /dev/kvm ---- */

gboolean nest_host_plan_access_is_enough(const char *access, gint64 kvm_gid)
{
    guint mode, uid, gid;
    if (sscanf(access, "%o %u %u", &mode, &uid, &gid) != 3)
        return FALSE;
    return (mode & 0006) == 0006 || ((gint64)gid == kvm_gid && (mode & 0060) == 0060);
}

static void add_rule(Planner *planner, NestPlanItem *item)
{
    const NestHostRepair *repair = planner->repair;
    gboolean kept = (repair->rule_mode & 0006) == 0006 ||
        (repair->rule_group && (repair->rule_mode & 0060) == 0060);
    g_autofree char *saved =
        nest_saved_file_make(0644, repair->uid, repair->gid, RULE, strlen(RULE));
    if (kept || !repair->udev || repair->rule.error != NULL ||
        g_strcmp0(repair->rule.value, saved) == 0)
        return;
    item->detail = repair->rule_where != NULL
        ? g_strdup_printf("kept by /%s, which wins over %s", NEST_HOST_RULE, repair->rule_where)
        : g_strdup_printf("kept by /%s", NEST_HOST_RULE);
    nest_host_change_add(planner->planning->change, "rule", "kvm-access", NEST_HOST_FILE,
        NEST_HOST_RULE, repair->rule.value, saved);
}

static void plan_access(Planner *planner)
{
    const NestHostRepair *repair = planner->repair;
    const char *access = repair->device.value;
    guint mode = 0, uid = 0, gid = 0;
    if (access == NULL || nest_host_plan_access_is_enough(access, repair->kvm_gid))
        return;
    if (repair->kvm_gid < 0) {
        nest_host_planning_warn(planner->planning,
            "There is no group kvm to give /dev/kvm to: a QEMU that is not root's can't use it.");
        return;
    }
    if (!is_wanted(planner, "kvm-access")) {
        nest_host_planning_warn(planner->planning,
            "The access to /dev/kvm stays as it is: a QEMU that is not root's can't use it.");
        return;
    }
    sscanf(access, "%o %u %u", &mode, &uid, &gid);
    NestPlanItem *item = add(planner, "kvm-access", g_strdup("/dev/kvm opened for QEMU"),
        g_strdup_printf("mode %04o, group %u", mode, gid),
        g_strdup_printf("mode %04o, group kvm", mode | 0660));
    add_rule(planner, item);
    g_autofree char *wanted =
        g_strdup_printf("%04o %u %u", mode | 0660, uid, (guint)repair->kvm_gid);
    nest_host_change_add(planner->planning->change, "access", "kvm-access", NEST_HOST_ACCESS,
        NEST_HOST_DEVICE, access, wanted);
}

/* ---- libvirt-guests ---- */

/* What the file says now, and would say. */
static void add_guests(Planner *planner)
{
    const NestFact *fact = &planner->host->tuning.on_shutdown;
    const char *now = fact->missing ? "no configuration, by default suspend"
        : *fact->value == '\0'      ? "ON_SHUTDOWN not set, by default suspend"
                                    : NULL;
    NestPlanItem *item =
        add(planner, "libvirt-guests", g_strdup("VMs shut down with the host, not saved"),
            now != NULL ? g_strdup(now) : g_strdup_printf("ON_SHUTDOWN=%s", fact->value),
            g_strdup("ON_SHUTDOWN=shutdown"));
    item->detail = g_strdup_printf(
        "in %s: a VM that hosts others may not come back from being saved", fact->path);
}

static char *guests_file(const NestHostRepair *repair)
{
    gsize length = 0;
    g_autofree char *old = nest_saved_file_content(repair->guests.value, &length);
    g_autofree char *text =
        nest_shell_file_set(old != NULL ? old : "# Written by nestd; see libvirt-guests(8).\n",
            "ON_SHUTDOWN", "shutdown");
    return old != NULL ? nest_saved_file_replace(repair->guests.value, text, strlen(text))
                       : nest_saved_file_make(0644, repair->uid, repair->gid, text, strlen(text));
}

static void plan_guests(Planner *planner)
{
    const NestHostRepair *repair = planner->repair;
    const NestHostTuning *tuning = &planner->host->tuning;
    if (!nest_host_guests_save(&tuning->guests, &tuning->on_shutdown))
        return;
    gboolean gone = repair->guests.value == NULL && !tuning->on_shutdown.missing;
    if (repair->guests_path == NULL || repair->guests.error != NULL || gone) {
        nest_host_planning_obstacle(planner->planning, NEST_ERROR_HOST_UNFIT,
            "set ON_SHUTDOWN=shutdown in it by hand", "%s",
            repair->guests.error != NULL ? repair->guests.error
                : gone                   ? "libvirt-guests went away"
                                         : "where libvirt-guests is configured is not known");
        return;
    }
    if (!is_wanted(planner, "libvirt-guests")) {
        nest_host_planning_warn(planner->planning,
            "libvirt-guests still saves VMs when the host goes down, also those that host others.");
        return;
    }
    add_guests(planner);
    g_autofree char *saved = guests_file(repair);
    nest_host_change_add(planner->planning->change, "libvirt-guests", "libvirt-guests",
        NEST_HOST_FILE, repair->guests_path, repair->guests.value, saved);
}

/* ---- the way of frames ---- */

static void plan_block(Planner *planner, const NestHostBlock *block)
{
    g_autofree char *name = nest_link_setting_name(block->target);
    if (!is_wanted(planner, block->id)) {
        nest_host_planning_warn(
            planner->planning, "Frames of inner VMs of %s still end at %s.", block->vm, name);
        return;
    }
    NestPlanItem *item = add(planner, block->id,
        g_strdup_printf("frames of inner VMs of %s pass %s", block->vm, name),
        nest_link_setting_difference(block->before, block->after),
        nest_link_setting_difference(block->after, block->before));
    item->detail =
        g_strdup(block->function ? "until the virtual function is set up anew"
                                 : "until the VM is powered off: its port is made anew with it");
    nest_host_change_add(planner->planning->change, block->id, block->id, NEST_HOST_LINK,
        block->target, block->before, block->after);
}

static void plan_blocks(Planner *planner, const NestHostBlocks *blocks)
{
    if (blocks->error != NULL)
        nest_host_planning_warn(planner->planning,
            "Where frames of inner VMs end on this host could not be looked at: %s.",
            blocks->error);
    for (guint i = 0; i < blocks->all->len; i++)
        plan_block(planner, g_ptr_array_index(blocks->all, i));
}

/* ---- all of it ---- */

static gboolean refuse_decline(const char *const *decline, GError **error)
{
    for (guint i = 0; decline != NULL && decline[i] != NULL; i++) {
        if (is_optional(decline[i]))
            continue;
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
            "what can be declined: nested-persist, kvm-access, libvirt-guests, and what the plan "
            "has of port-NAME and function-NAME-N",
            "\"%s\" can't be declined", decline[i]);
        return TRUE;
    }
    return FALSE;
}

static gboolean refuse_host(const NestHostFacts *host, GError **error)
{
    g_autoptr(NestGift) gift = nest_gift_of_kvm(host, NULL);
    gboolean hopeless = gift->answer == NEST_GIFT_NEVER ||
        (gift->answer == NEST_GIFT_UNKNOWN && !host->cpuinfo_read);
    if (hopeless)
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, gift->next,
            "nestd can't make this host nest: %s", gift->reason);
    return hopeless;
}

/* What can be taken back at once comes first, the module after it, and the device last: it may be
 * made anew with the module. */
static int by_order(gconstpointer a, gconstpointer b)
{
    static const int order[] = {
        [NEST_HOST_FILE] = 0, [NEST_HOST_LINK] = 1, [NEST_HOST_NESTED] = 2, [NEST_HOST_ACCESS] = 3};
    const NestHostSetting *left = *(NestHostSetting *const *)a;
    const NestHostSetting *right = *(NestHostSetting *const *)b;
    int difference = order[left->kind] - order[right->kind];
    return difference != 0 ? difference : strcmp(left->target, right->target);
}

/* TRUE if the host nests then. */
static gboolean plan_kvm(Planner *planner)
{
    planner->loaded = g_strcmp0(planner->host->kvm_module, planner->module) == 0;
    if (planner->loaded)
        plan_nested(planner);
    else
        plan_load(planner);
    gboolean switches = planner->planning->plan->items->len > 0;
    plan_persist(planner, switches);
    plan_access(planner);
    plan_guests(planner);
    return switches || (planner->loaded && nest_host_nested(planner->host));
}

NestPlan *nest_host_plan_make(const NestHostFacts *host, const NestHostRepair *repair,
    const NestHostBlocks *blocks, const char *const *decline, NestHostChange **ret_change)
{
    g_autoptr(NestHostPlanning) planning = nest_host_planning_new(host, repair);
    g_autoptr(GError) error = NULL, unfit = NULL;
    gboolean nests = FALSE, blocked = blocks != NULL && blocks->all->len > 0;
    if (refuse_decline(decline, &error) || (refuse_host(host, &unfit) && !blocked))
        return nest_host_planning_refuse(planning, error != NULL ? error : unfit, ret_change);
    Planner planner = {planning, host, repair, decline, nest_host_repair_module(host), FALSE};
    if (unfit == NULL)
        nests = plan_kvm(&planner);
    else
        nest_host_planning_obstacle(
            planning, unfit->code, nest_error_get_next(unfit), "%s", unfit->message);
    if (blocks != NULL)
        plan_blocks(&planner, blocks);
    g_ptr_array_sort(planning->change->settings, by_order);
    return nest_host_planning_end(planning, decline, nests, ret_change);
}
