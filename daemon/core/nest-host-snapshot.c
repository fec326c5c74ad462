/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-snapshot.h"

static char *make_key(const NestHostFacts *facts, const NestBackendCaps *caps)
{
    return g_strdup_printf("%d %d %d %s %d %d %d", nest_host_extension(facts),
        nest_host_hardware_kvm(facts), nest_host_kvm_nests(facts),
        facts->nested.value != NULL ? facts->nested.value : "-", caps != NULL,
        caps != NULL ? (int)caps->kvm_extension : -1, caps != NULL ? (int)caps->tcg_extension : -1);
}

NestHostSnapshot *nest_host_snapshot_take(const char *root, const NestBackendCaps *caps)
{
    NestHostSnapshot *snapshot = g_atomic_rc_box_new0(NestHostSnapshot);
    snapshot->facts = nest_host_probe(root);
    snapshot->caps = nest_backend_caps_copy(caps);
    snapshot->key = make_key(snapshot->facts, snapshot->caps);
    return snapshot;
}

NestHostSnapshot *nest_host_snapshot_ref(NestHostSnapshot *snapshot)
{
    return g_atomic_rc_box_acquire(snapshot);
}

static void clear(gpointer data)
{
    NestHostSnapshot *snapshot = data;
    nest_host_facts_free(snapshot->facts);
    nest_backend_caps_free(snapshot->caps);
    g_free(snapshot->key);
}

void nest_host_snapshot_unref(NestHostSnapshot *snapshot)
{
    if (snapshot != NULL)
        g_atomic_rc_box_release_full(snapshot, clear);
}
