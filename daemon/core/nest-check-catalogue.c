/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-catalogue.h"
#include "nest-check.h"
#include "nest-guard-catalogue.h"
#include "nest-record.h"
#include <string.h>

/* The scope is the first part of the id; Windows has a name of its own for what is inside. */
static NestScope scope_of(const char *id)
{
    if (g_str_has_prefix(id, "win."))
        return NEST_SCOPE_GUEST;
    g_autofree char *first = g_strndup(id, strcspn(id, "."));
    guint scope = NEST_SCOPE_HOST;
    nest_nick_parse(nest_scope_nicks, first, &scope);
    return scope;
}

static void add(GPtrArray *catalogue, const NestCheckAbout *about)
{
    NestCheckInfo *info = nest_record_new(&nest_check_info_record);
    info->id = g_strdup(about->id);
    info->scope = scope_of(about->id);
    info->title = g_strdup(about->title);
    info->level = about->level;
    info->meaning = g_strdup(about->meaning);
    info->why = g_strdup(about->why);
    info->fix = g_strdup(about->fix);
    info->source = g_strdup(about->source);
    g_ptr_array_add(catalogue, info);
}

GPtrArray *nest_check_catalogue(void)
{
    GPtrArray *catalogue = g_ptr_array_new_with_free_func((GDestroyNotify)nest_check_info_free);
    for (guint i = 0; nest_check_host_tables[i] != NULL; i++)
        for (const NestHostCheckRow *row = nest_check_host_tables[i]; row->run != NULL; row++)
            add(catalogue, &row->about);
    for (guint i = 0; nest_check_vm_tables[i] != NULL; i++)
        for (const NestVmCheckRow *row = nest_check_vm_tables[i]; row->run != NULL; row++)
            add(catalogue, &row->about);
    for (guint i = 0; nest_check_guest_tables[i] != NULL; i++)
        for (const NestGuestCheckRow *row = nest_check_guest_tables[i]; row->run != NULL; row++)
            add(catalogue, &row->about);
    nest_guard_catalogue_add(catalogue);
    return catalogue;
}

NestCheckReport *nest_check_report(
    const char *uuid, const char *name, gboolean supports, const GPtrArray *checks, gboolean all)
{
    NestCheckReport *report = nest_record_new(&nest_check_report_record);
    report->uuid = g_strdup(uuid);
    report->name = g_strdup(name);
    report->supports = supports;
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (all || check->verdict >= NEST_VERDICT_UNKNOWN)
            g_ptr_array_add(report->checks, nest_record_copy(&nest_check_record, check));
    }
    return report;
}
