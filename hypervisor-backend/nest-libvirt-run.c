/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-libvirt.h"
#include "nest-virt-error.h"

#define ANSWER_TIMEOUT_MS 10000

/* What is done to a VM that runs, and leaves it running. */

gboolean nest_libvirt_pause(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    return nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) &&
        nest_libvirt_call(domain, virDomainSuspend, ANSWER_TIMEOUT_MS, "pause", error);
}

gboolean nest_libvirt_resume(NestBackend *backend, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    return nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) &&
        nest_libvirt_call(domain, virDomainResume, ANSWER_TIMEOUT_MS, "resume", error);
}

gboolean nest_libvirt_set_memory(
    NestBackend *backend, const char *uuid, guint64 kib, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    if (!nest_libvirt_domain((NestLibvirt *)backend, uuid, &domain, error) ||
        !nest_libvirt_call(domain, nest_libvirt_ask, ANSWER_TIMEOUT_MS, "resize", error))
        return FALSE;
    if (virDomainSetMemoryFlags(domain, kib, VIR_DOMAIN_AFFECT_LIVE) == 0)
        return TRUE;
    nest_virt_error_set_domain(error, domain, "resize the memory of");
    return FALSE;
}
