/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-block.h"
#include "nest-link-setting.h"
#include "nest-vm-reading.h"

#define PORT "port-"
#define FUNCTION "function-"

static void block_free(gpointer data)
{
    NestHostBlock *block = data;
    g_free(block->id);
    g_free(block->vm);
    g_free(block->target);
    g_free(block->before);
    g_free(block->after);
    g_free(block);
}

NestHostBlocks *nest_host_blocks_new(void)
{
    NestHostBlocks *blocks = g_new0(NestHostBlocks, 1);
    blocks->all = g_ptr_array_new_with_free_func(block_free);
    return blocks;
}

void nest_host_blocks_free(NestHostBlocks *blocks)
{
    if (blocks == NULL)
        return;
    g_ptr_array_unref(blocks->all);
    g_free(blocks->error);
    g_free(blocks);
}

gboolean nest_host_block_is_id(const char *id)
{
    return g_str_has_prefix(id, PORT) || g_str_has_prefix(id, FUNCTION);
}

gboolean nest_host_blocks_concern(const NestVmView *view)
{
    NestNesting nesting = view->domain != NULL ? nest_vm_view_nesting(view) : NEST_NESTING_OFF;
    return view->live != NULL && view->net != NULL && view->net->net != NULL &&
        (nesting == NEST_NESTING_ON || nesting == NEST_NESTING_UNENFORCED);
}

/* ---- what lets frames pass ---- */

static void turn(char **value, const char *flag, gboolean on)
{
    char *with = nest_link_setting_with(*value, flag, on);
    g_free(*value);
    *value = with;
}

/* Either of learning and flood is enough; isolation that a definition asks for, or may
 * ask for where the network could not be read, is not undone here; without a spanning tree of the
 * bridge its guard does nothing. */
static char *open_port(const NestNetPath *path, const char *before)
{
    const NestLink *port = path->tap;
    char *after = g_strdup(before);
    if (port->learning == NEST_FLAG_OFF && port->flood == NEST_FLAG_OFF) {
        turn(&after, "learning", TRUE);
        turn(&after, "flood", TRUE);
    }
    if (!path->isolated && path->way != NEST_WAY_UNKNOWN)
        turn(&after, "isolated", FALSE);
    if (path->bridge != NULL && path->bridge->stp == NEST_FLAG_ON)
        turn(&after, "guard", FALSE);
    turn(&after, "locked", FALSE);
    return after;
}

static char *open_function(const char *before)
{
    char *after = g_strdup(before);
    turn(&after, "spoofchk", FALSE);
    turn(&after, "trust", TRUE);
    return after;
}

static void add_path(
    NestHostBlocks *blocks, const char *vm, const NestNetPath *path, const char *boot)
{
    gboolean function = path->vf != NULL;
    const NestLink *link = function ? path->vf_device : path->tap;
    if (link == NULL || path->ovs || (!function && !link->port))
        return;
    g_autofree char *before = nest_link_setting_value(link, path->vf);
    g_autofree char *after = function ? open_function(before) : open_port(path, before);
    if (g_strcmp0(before, after) == 0)
        return;
    NestHostBlock *block = g_new0(NestHostBlock, 1);
    block->id = function ? g_strdup_printf(FUNCTION "%s-%u", link->name, path->vf->number)
                         : g_strconcat(PORT, link->name, NULL);
    block->vm = g_strdup(vm);
    block->target = nest_link_setting_target(link, path->vf, boot);
    block->before = g_steal_pointer(&before);
    block->after = g_steal_pointer(&after);
    block->function = function;
    g_ptr_array_add(blocks->all, block);
}

void nest_host_blocks_add(NestHostBlocks *blocks, const NestVmView *view, const char *boot)
{
    if (!nest_host_blocks_concern(view))
        return;
    for (guint i = 0; i < view->net->paths->len; i++)
        add_path(blocks, view->facts->name, g_ptr_array_index(view->net->paths, i), boot);
}

/* ---- all VMs ---- */

static int by_id(gconstpointer a, gconstpointer b)
{
    return g_strcmp0((*(NestHostBlock *const *)a)->id, (*(NestHostBlock *const *)b)->id);
}

NestHostBlocks *nest_host_blocks_take(
    NestBackend *backend, NestHostSnapshot *host, NestMarks *marks)
{
    NestHostBlocks *blocks = nest_host_blocks_new();
    g_autofree char *boot = nest_link_setting_boot(host->root);
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;
    if (!backend->ops->list(backend, &all, &error)) {
        blocks->error = g_strdup(error->message);
        return blocks;
    }
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        NestVmFacts *facts = g_ptr_array_index(all, i);
        g_autoptr(NestVmReading) reading = nest_vm_reading_new(facts, host, marks, NULL);
        if (reading != NULL)
            nest_host_blocks_add(blocks, &reading->view, boot);
    }
    g_ptr_array_sort(blocks->all, by_id);
    return blocks;
}
