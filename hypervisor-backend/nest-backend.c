/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-backend.h"

void nest_vm_facts_free(NestVmFacts *facts)
{
    if (facts == NULL)
        return;
    g_free(facts->uuid);
    g_free(facts->name);
    g_free(facts->xml);
    g_free(facts->live_xml);
    g_free(facts);
}

void nest_backend_caps_free(NestBackendCaps *caps)
{
    if (caps == NULL)
        return;
    g_free(caps->uri);
    g_free(caps->qemu_version);
    g_free(caps->libvirt_version);
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
    return copy;
}
