/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-snapshot.h"

static char *join(GStrv list)
{
    return list != NULL ? g_strjoinv(" ", list) : g_strdup("-");
}

/* What checks of VMs ask of the host. */
static char *make_key(const NestHostSnapshot *snapshot)
{
    const NestHostFacts *facts = snapshot->facts;
    const NestBackendCaps *caps = snapshot->caps;
    g_autofree char *flaws = join(facts->tuning.vulnerable);
    g_autofree char *unknown = join(facts->tuning.flaws_unknown);
    g_autofree char *machines = join(caps != NULL ? caps->machines : NULL);
    g_autofree char *old = join(caps != NULL ? caps->old_machines : NULL);
    g_autofree char *policy = nest_policy_key(snapshot->policy, snapshot->today);
    return g_strdup_printf("%s %d %d %d %s %s %s %s %d %d %d|%d %d %d %s %s|%s|%s|%s %s|%s %d",
        policy, nest_host_extension(facts), nest_host_hardware_kvm(facts),
        nest_host_kvm_nests(facts), facts->nested.value != NULL ? facts->nested.value : "-",
        facts->slat_parameter.value != NULL ? facts->slat_parameter.value : "-",
        facts->kernel != NULL ? facts->kernel : "-",
        facts->kernel_build != NULL ? facts->kernel_build : "-", facts->md_clear, facts->flush_l1d,
        facts->tsx, caps != NULL, caps != NULL ? (int)caps->kvm_extension : -1,
        caps != NULL ? (int)caps->tcg_extension : -1,
        caps != NULL && caps->libvirt_version != NULL ? caps->libvirt_version : "-",
        caps != NULL && caps->qemu_version != NULL ? caps->qemu_version : "-", machines, old,
        snapshot->advice != NULL ? snapshot->advice->key : "-", flaws, unknown,
        facts->tuning.vulnerabilities.value != NULL);
}

char *nest_host_snapshot_today(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    return g_date_time_format(now, "%Y-%m-%d");
}

NestHostSnapshot *nest_host_snapshot_take_with(
    NestHostPlace *place, const NestBackendCaps *caps, NestNetDefinitions *definitions)
{
    NestHostSnapshot *snapshot = g_atomic_rc_box_new0(NestHostSnapshot);
    snapshot->facts = nest_host_probe(nest_host_place_root(place));
    snapshot->caps = nest_backend_caps_copy(caps);
    snapshot->advice = nest_host_place_advise(place, snapshot->facts);
    snapshot->root = g_strdup(nest_host_place_root(place));
    snapshot->net = nest_net_take(snapshot->root, definitions);
    snapshot->policy = nest_host_place_policy(place);
    snapshot->today = nest_host_snapshot_today();
    snapshot->key = make_key(snapshot);
    return snapshot;
}

NestHostSnapshot *nest_host_snapshot_take(NestHostPlace *place, const NestBackendCaps *caps)
{
    return nest_host_snapshot_take_with(place, caps, NULL);
}

NestHostSnapshot *nest_host_snapshot_renew(NestHostSnapshot *snapshot)
{
    NestHostSnapshot *oldest = snapshot->older != NULL ? snapshot->older : snapshot;
    NestHostSnapshot *renewed = g_atomic_rc_box_new0(NestHostSnapshot);
    *renewed = *oldest;
    renewed->older = nest_host_snapshot_ref(oldest);
    renewed->net = nest_net_take(oldest->root, snapshot->net->definitions);
    return renewed;
}

NestHostSnapshot *nest_host_snapshot_ref(NestHostSnapshot *snapshot)
{
    return g_atomic_rc_box_acquire(snapshot);
}

static void clear(gpointer data)
{
    NestHostSnapshot *snapshot = data;
    nest_net_unref(snapshot->net);
    if (snapshot->older != NULL) {
        nest_host_snapshot_unref(snapshot->older);
        return;
    }
    g_free(snapshot->root);
    nest_host_facts_free(snapshot->facts);
    nest_backend_caps_free(snapshot->caps);
    nest_advice_free(snapshot->advice);
    g_free(snapshot->today);
    g_free(snapshot->key);
}

void nest_host_snapshot_unref(NestHostSnapshot *snapshot)
{
    if (snapshot != NULL)
        g_atomic_rc_box_release_full(snapshot, clear);
}
