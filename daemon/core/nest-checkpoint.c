/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-checkpoint.h"
#include "nest-record.h"
#include <string.h>

/* In the description of a checkpoint: "nestd: kernel=6.1.0 qemu=7.2.22 activity=exposed". */
#define PREFIX "nestd: "
#define UNTOLD "-"

char *nest_checkpoint_note(const NestVmView *view)
{
    const char *kernel = view->host != NULL ? view->host->kernel : NULL;
    const char *qemu = view->caps != NULL ? view->caps->qemu_version : NULL;
    return g_strdup_printf(PREFIX "kernel=%s qemu=%s activity=%s", kernel != NULL ? kernel : UNTOLD,
        qemu != NULL ? qemu : UNTOLD, nest_nick(nest_activity_nicks, nest_vm_view_activity(view)));
}

/* The value of "NAME=" among words. */
static char *value_of(const char *const *words, const char *name)
{
    for (; *words != NULL; words++)
        if (g_str_has_prefix(*words, name) && strcmp(*words + strlen(name), UNTOLD) != 0)
            return g_strdup(*words + strlen(name));
    return NULL;
}

static void read_note(const char *description, NestCheckpoint *checkpoint)
{
    guint activity = NEST_ACTIVITY_UNKNOWN;
    if (description == NULL || !g_str_has_prefix(description, PREFIX))
        return;
    g_auto(GStrv) words = g_strsplit(description + strlen(PREFIX), " ", 8);
    g_autofree char *told = value_of((const char *const *)words, "activity=");
    checkpoint->kernel = value_of((const char *const *)words, "kernel=");
    checkpoint->qemu_version = value_of((const char *const *)words, "qemu=");
    if (nest_nick_parse(nest_activity_nicks, told, &activity))
        checkpoint->activity = activity;
}

NestCheckpoint *nest_checkpoint_from(
    const NestBackendCheckpoint *checkpoint, const NestVmView *view)
{
    NestCheckpoint *shown = nest_record_new(&nest_checkpoint_record);
    shown->name = g_strdup(checkpoint->name);
    shown->time = checkpoint->time;
    shown->memory = checkpoint->memory;
    shown->current = checkpoint->current;
    shown->unfinished = checkpoint->unfinished;
    shown->nesting = nest_vm_view_nesting_by(view, checkpoint->xml);
    shown->activity = checkpoint->memory ? NEST_ACTIVITY_UNKNOWN : NEST_ACTIVITY_NONE;
    read_note(checkpoint->description, shown);
    return shown;
}

static void free_checkpoint(gpointer checkpoint)
{
    nest_checkpoint_free(checkpoint);
}

GPtrArray *nest_checkpoints_from(const GPtrArray *checkpoints, const NestVmView *view)
{
    GPtrArray *shown = g_ptr_array_new_with_free_func(free_checkpoint);
    for (guint i = 0; i < checkpoints->len; i++)
        g_ptr_array_add(shown, nest_checkpoint_from(g_ptr_array_index(checkpoints, i), view));
    return shown;
}

const NestBackendCheckpoint *nest_checkpoint_find(const GPtrArray *checkpoints, const char *name)
{
    for (guint i = 0; i < checkpoints->len; i++) {
        const NestBackendCheckpoint *checkpoint = g_ptr_array_index(checkpoints, i);
        if (strcmp(checkpoint->name, name) == 0)
            return checkpoint;
    }
    return NULL;
}
