/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-plan-view.h"

const NestPlanItem *nest_plan_view_item(const NestPlan *plan, guint index)
{
    for (guint optional = 0; optional < 2; optional++) {
        for (guint i = 0; i < plan->items->len; i++) {
            const NestPlanItem *item = g_ptr_array_index(plan->items, i);
            if (!!item->optional == optional && index-- == 0)
                return item;
        }
    }
    return NULL;
}

static char *change_text(const NestPlanItem *item)
{
    if (item->current != NULL && item->target != NULL)
        return g_strdup_printf("%s → %s", item->current, item->target);
    if (item->target != NULL)
        return g_strdup(item->target);
    return g_strdup(item->current);
}

static void print_item(NestOutput *output, const NestPlanItem *item, guint number, guint width)
{
    guint room = nest_output_width(output), indent = 5 + width + 3;
    g_autofree char *change = change_text(item);
    const char *title = item->title != NULL ? item->title : item->id;
    nest_output_text(output, NEST_STYLE_PLAIN, " %2u  ", number);
    if (change == NULL && item->detail == NULL) {
        nest_output_line(output, "%s", title);
        return;
    }
    if (room > 0 && room < indent + 24) {
        indent = 7;
        nest_output_line(output, "%s", title);
        nest_output_cell(output, NEST_STYLE_PLAIN, indent, "");
    } else {
        nest_output_cell(output, NEST_STYLE_PLAIN, width + 3, title);
    }
    if (change != NULL)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, indent, change);
    if (change != NULL && item->detail != NULL)
        nest_output_cell(output, NEST_STYLE_PLAIN, indent, "");
    if (item->detail != NULL)
        nest_output_wrapped(output, item->destructive ? NEST_STYLE_CAUTION : NEST_STYLE_PLAIN,
            indent, item->detail);
}

static void print_heading(
    NestOutput *output, const NestPlan *plan, const char *aim, const NestPlanItem *first)
{
    const char *name = plan->name != NULL ? plan->name
        : plan->uuid != NULL              ? plan->uuid
                                          : "the host";
    if (first == NULL || first->optional)
        nest_output_line(output, "To %s, nothing in %s has to be changed.", aim, name);
    else
        nest_output_line(output, "To %s, %s will be changed:", aim, name);
}

void nest_plan_view_print_warnings(NestOutput *output, const NestPlan *plan)
{
    for (guint i = 0; plan->warnings != NULL && plan->warnings[i] != NULL; i++) {
        nest_output_text(output, NEST_STYLE_CAUTION, "Note: ");
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 6, plan->warnings[i]);
    }
}

void nest_plan_view_print_nothing(
    NestOutput *output, const NestPlan *plan, gboolean enable, const char *name)
{
    nest_output_line(output,
        enable ? "%s is already set up for nesting." : "Nesting is already off in %s.", name);
    nest_plan_view_print_warnings(output, plan);
}

void nest_plan_view_print(NestOutput *output, const NestPlan *plan, const char *aim)
{
    const NestPlanItem *item = NULL;
    gboolean optional = FALSE;
    guint width = 0;
    for (guint i = 0; (item = nest_plan_view_item(plan, i)) != NULL; i++)
        width = MAX(width, nest_output_measure(output, item->title != NULL ? item->title : ""));
    print_heading(output, plan, aim, nest_plan_view_item(plan, 0));
    for (guint i = 0; (item = nest_plan_view_item(plan, i)) != NULL; i++) {
        if (item->optional && !optional)
            nest_output_line(output, "Optional:");
        optional = item->optional;
        print_item(output, item, i + 1, width);
    }
    nest_plan_view_print_warnings(output, plan);
}

static gboolean same_item(const NestPlanItem *a, const NestPlanItem *b)
{
    return g_strcmp0(a->id, b->id) == 0 && g_strcmp0(a->title, b->title) == 0 &&
        g_strcmp0(a->current, b->current) == 0 && g_strcmp0(a->target, b->target) == 0;
}

gboolean nest_plan_view_same(
    const NestPlan *shown, const char *const *declined, const NestPlan *plan)
{
    guint at = 0;
    for (guint i = 0; i < shown->items->len; i++) {
        const NestPlanItem *item = g_ptr_array_index(shown->items, i);
        if (declined != NULL && g_strv_contains(declined, item->id))
            continue;
        if (at >= plan->items->len || !same_item(item, g_ptr_array_index(plan->items, at)))
            return FALSE;
        at++;
    }
    return at == plan->items->len && g_strcmp0(shown->uuid, plan->uuid) == 0;
}
