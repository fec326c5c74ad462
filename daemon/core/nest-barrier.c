/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-barrier.h"

static NestFilterAnswer judge_filter(const NestNetPath *path)
{
    return path->filter.answer;
}

static NestFilterAnswer judge_port(const NestNetPath *path)
{
    return path->nic->isolated ? NEST_FILTER_BLOCKS : NEST_FILTER_PASSES;
}

static const char *name_of(const NestNetPath *path)
{
    return path->nic->mac != NULL ? path->nic->mac : path->name;
}

static char *describe_filter(const NestNetPath *path)
{
    return g_strdup_printf(
        "MAC spoofing is blocked on %s by the filter %s", name_of(path), path->nic->filter);
}

static char *describe_port(const NestNetPath *path)
{
    return g_strdup_printf("the port of %s is isolated", name_of(path));
}

typedef struct {
    const char *id;
    NestFilterAnswer (*judge)(const NestNetPath *path);
    char *(*describe)(const NestNetPath *path);
} Barrier;

static const Barrier barriers[] = {
    {"mac-spoofing", judge_filter, describe_filter},
    {"port-isolation", judge_port, describe_port},
};

static gboolean is_open(const Barrier *barrier, const NestVmNet *net)
{
    for (guint i = 0; i < net->paths->len; i++)
        if (barrier->judge(g_ptr_array_index(net->paths, i)) != NEST_FILTER_PASSES)
            return FALSE;
    return TRUE;
}

static char *join(GStrvBuilder *builder, const char *separator)
{
    g_auto(GStrv) parts = g_strv_builder_end(builder);
    return parts[0] != NULL ? g_strjoinv(separator, parts) : NULL;
}

char *nest_barrier_open(const NestVmNet *net)
{
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
    for (guint i = 0; i < G_N_ELEMENTS(barriers); i++)
        if (is_open(&barriers[i], net))
            g_strv_builder_add(ids, barriers[i].id);
    return join(ids, " ");
}

static void add_back(const Barrier *barrier, const NestVmNet *net, GStrvBuilder *found)
{
    for (guint i = 0; i < net->paths->len; i++) {
        const NestNetPath *path = g_ptr_array_index(net->paths, i);
        if (barrier->judge(path) != NEST_FILTER_BLOCKS)
            continue;
        g_autofree char *text = barrier->describe(path);
        g_strv_builder_add(found, text);
    }
}

char *nest_barrier_back(const NestVmNet *net, const char *open)
{
    g_auto(GStrv) ids = g_strsplit(open != NULL ? open : "", " ", -1);
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    for (guint i = 0; i < G_N_ELEMENTS(barriers); i++)
        if (g_strv_contains((const char *const *)ids, barriers[i].id))
            add_back(&barriers[i], net, found);
    return join(found, ", ");
}

/* libvirt's own stop foreign addresses and nothing else. */
char *nest_barrier_loss(const NestVmNet *net)
{
    gboolean rules = FALSE, addresses = FALSE;
    for (guint i = 0; i < net->paths->len; i++) {
        const NestNetPath *path = g_ptr_array_index(net->paths, i);
        if (path->filter.answer != NEST_FILTER_BLOCKS)
            continue;
        rules = rules || !nest_filter_blocks_foreign_macs(path->nic->filter);
        addresses = addresses || path->filter.blocks_ip;
    }
    gboolean several = g_strv_length(net->blocking) > 1;
    return g_strconcat(!rules ? ""
            : several         ? "; all rules of these filters go with them"
                              : "; all rules of that filter go with it",
        addresses ? "; protection against foreign IP addresses goes too" : "", NULL);
}
