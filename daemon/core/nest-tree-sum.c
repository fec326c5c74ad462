/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-tree-sum.h"
#include "nest-size.h"

gboolean nest_tree_sum_is_active(NestVmState state)
{
    return state != NEST_VM_OFF && state != NEST_VM_SAVED && state != NEST_VM_UNKNOWN &&
        state != NEST_VM_CRASHED;
}

/* What comes from a guest may be any number. */
void nest_tree_sum_add(NestTreeSum *sum, guint64 memory_kib, guint vcpus)
{
    sum->count++;
    sum->memory_kib = MIN(sum->memory_kib + MIN(memory_kib, G_MAXINT64 / 2), G_MAXINT64 / 2);
    sum->vcpus = (guint)MIN((guint64)sum->vcpus + vcpus, G_MAXINT32);
}

static void judge_memory(
    GStrvBuilder *sentences, const NestTreeSum *sum, gboolean now, const NestTreeRoom *room)
{
    g_autofree char *sizes = nest_size_text(sum->memory_kib);
    g_autofree char *there = nest_size_text(room->memory_kib);
    g_autofree char *text = g_strdup_printf("memory: %s%s%s %s, of %s", now ? "" : "all ",
        room->whom, now ? " that run have" : " would need", sizes, there);
    g_strv_builder_add(sentences, text);
}

static void judge_cpus(
    GStrvBuilder *sentences, const NestTreeSum *sum, gboolean now, const NestTreeRoom *room)
{
    g_autofree char *text = g_strdup_printf("CPUs: %s%s%s have %u vCPUs, %.1f for each of %u",
        now ? "" : "all ", room->whom, now ? " that run" : "", sum->vcpus,
        (double)sum->vcpus / room->cpus, room->cpus);
    g_strv_builder_add(sentences, text);
}

GStrv nest_tree_sum_judge(
    const NestTreeSum *all, const NestTreeSum *active, const NestTreeRoom *room)
{
    g_autoptr(GStrvBuilder) sentences = g_strv_builder_new();
    gboolean memory_now = active->memory_kib > room->memory_kib;
    gboolean cpus_now = active->vcpus > room->cpus;
    if (room->memory_kib > 0 && all->memory_kib > room->memory_kib)
        judge_memory(sentences, memory_now ? active : all, memory_now, room);
    if (room->cpus > 0 && all->vcpus > room->cpus)
        judge_cpus(sentences, cpus_now ? active : all, cpus_now, room);
    return g_strv_builder_end(sentences);
}
