/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-reading.h"
#include <string.h>

NestVmReading *nest_vm_reading_new(
    NestVmFacts *facts, NestHostSnapshot *host, NestMarks *marks, GError **error)
{
    g_autoptr(NestVmReading) reading = g_new0(NestVmReading, 1);
    reading->facts = facts;
    reading->host = nest_host_snapshot_ref(host);
    reading->marks = nest_marks_get(marks, facts->uuid);
    reading->domain = nest_domain_read(facts->xml, error);
    if (reading->domain == NULL)
        return NULL;
    if (facts->live_xml != NULL) {
        reading->live = nest_domain_read(facts->live_xml, error);
        if (reading->live == NULL)
            return NULL;
    }
    reading->net = nest_vm_net_new(host->net, reading->domain, reading->live);
    reading->view = (NestVmView){facts, reading->domain, reading->live, host->facts, host->caps,
        reading->marks, host->advice, reading->net, host->policy, host->today};
    return g_steal_pointer(&reading);
}

NestVmReading *nest_vm_reading_take(NestBackend *backend, NestHostSnapshot *host, NestMarks *marks,
    const char *uuid, GError **error)
{
    NestVmFacts *facts = NULL;
    if (!backend->ops->read(backend, uuid, &facts, error))
        return NULL;
    if (facts->live_xml == NULL)
        return nest_vm_reading_new(facts, host, marks, error);
    g_autoptr(NestHostSnapshot) now = nest_host_snapshot_renew(host);
    return nest_vm_reading_new(facts, now, marks, error);
}

void nest_vm_reading_free(NestVmReading *reading)
{
    if (reading == NULL)
        return;
    nest_vm_net_free(reading->net);
    nest_vm_facts_free(reading->facts);
    nest_domain_free(reading->domain);
    nest_domain_free(reading->live);
    nest_host_snapshot_unref(reading->host);
    nest_vm_marks_free(reading->marks);
    g_free(reading);
}

static void hash_text(GChecksum *sum, const char *text)
{
    const char *present = text != NULL ? text : "";
    g_checksum_update(sum, (const guchar *)present, strlen(present) + 1);
}

/* What else tells two readings apart; rarely there at all. */
static void hash_rest(GChecksum *sum, const NestVmFacts *facts)
{
    const NestSnapshotFacts *snapshots = facts->snapshot_facts;
    if (facts->saved_state) {
        g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT, facts->saved_time);
        hash_text(sum, time);
        hash_text(sum, facts->saved_xml);
    }
    if (snapshots != NULL) {
        g_autofree char *counts = g_strdup_printf(
            "%u %u %u", snapshots->read, snapshots->with_memory, snapshots->without);
        hash_text(sum, counts);
        hash_text(sum, snapshots->memory_name);
        hash_text(sum, snapshots->without_name);
    }
    for (guint i = 0; facts->messages != NULL && facts->messages[i] != NULL; i++)
        hash_text(sum, facts->messages[i]);
}

char *nest_vm_facts_key(
    const NestVmFacts *facts, const NestHostSnapshot *host, const NestVmMarks *marks)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_autofree char *rest =
        g_strdup_printf("%d %d %" G_GUINT64_FORMAT " %u %d %d %d %d %d %d %d %d", facts->state,
            facts->saved_state, facts->saved_bytes, facts->snapshots, facts->autostart,
            facts->live_xml != NULL, marks->trust, marks->guarded, facts->messages != NULL,
            facts->start_log, facts->run, marks->run == facts->run ? (int)marks->exposed : 0);
    g_autofree char *network =
        nest_net_key(host->net, facts->live_xml != NULL ? facts->live_xml : facts->xml);
    hash_text(sum, host->key);
    hash_text(sum, rest);
    hash_text(sum, marks->left_as);
    hash_text(sum, marks->open);
    hash_text(sum, facts->name);
    hash_text(sum, facts->xml);
    hash_text(sum, facts->live_xml);
    hash_rest(sum, facts);
    hash_text(sum, network);
    return g_strdup(g_checksum_get_string(sum));
}
