/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend.h"

void nest_snapshot_facts_free(NestSnapshotFacts *facts)
{
    if (facts == NULL)
        return;
    g_free(facts->memory_name);
    g_free(facts->without_name);
    g_free(facts);
}

void nest_vm_facts_free(NestVmFacts *facts)
{
    if (facts == NULL)
        return;
    g_free(facts->uuid);
    g_free(facts->name);
    g_free(facts->xml);
    g_free(facts->live_xml);
    g_free(facts->saved_xml);
    nest_snapshot_facts_free(facts->snapshot_facts);
    g_strfreev(facts->messages);
    g_free(facts);
}

void nest_backend_caps_free(NestBackendCaps *caps)
{
    if (caps == NULL)
        return;
    g_free(caps->uri);
    g_free(caps->qemu_version);
    g_free(caps->libvirt_version);
    g_strfreev(caps->machines);
    g_strfreev(caps->old_machines);
    g_free(caps);
}

NestBackendCaps *nest_backend_caps_copy(const NestBackendCaps *caps)
{
    if (caps == NULL)
        return NULL;
    NestBackendCaps *copy = g_memdup2(caps, sizeof *caps);
    copy->uri = g_strdup(caps->uri);
    copy->qemu_version = g_strdup(caps->qemu_version);
    copy->libvirt_version = g_strdup(caps->libvirt_version);
    copy->machines = g_strdupv(caps->machines);
    copy->old_machines = g_strdupv(caps->old_machines);
    return copy;
}

void nest_backend_checkpoint_free(NestBackendCheckpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    g_free(checkpoint->name);
    g_free(checkpoint->description);
    g_free(checkpoint->xml);
    g_free(checkpoint);
}

void nest_unlisted_clear(NestUnlisted *unlisted)
{
    g_clear_pointer(&unlisted->networks, g_free);
    g_clear_pointer(&unlisted->filters, g_free);
}
