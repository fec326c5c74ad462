/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-extras.h"
#include "nest-domain-read.h"
#include "nest-domain-xml.h"

void nest_domain_extras_clear(NestDomainExtras *extras)
{
    g_free(extras->blank_display);
    g_free(extras->launch_security);
    g_clear_pointer(&extras->nics, g_ptr_array_unref);
    g_strfreev(extras->parts);
    g_strfreev(extras->parts_off);
    g_free(extras->manager);
    g_free(extras->overlay);
    g_free(extras->host_device);
    g_free(extras->iommu);
    g_free(extras->shared_folder);
    nest_domain_hyperv_clear(&extras->hyperv);
    *extras = (NestDomainExtras){0};
}

static NestFeaturePolicy policy_of(const xmlNode *cpu, const char *name)
{
    NestFeaturePolicy policy = NEST_POLICY_UNSET;
    for (const xmlNode *feature = nest_element_child(cpu, "feature"); feature != NULL;
         feature = nest_element_next(feature, "feature"))
        if (nest_element_has(feature, "name", name))
            policy = nest_domain_policy(feature);
    return policy;
}

static gboolean is_off(NestFeaturePolicy policy)
{
    return policy == NEST_POLICY_DISABLE || policy == NEST_POLICY_FORBID;
}

/* By the names that libvirt has for them. */
static const char *find_paging_off(const xmlNode *cpu)
{
    static const char *const names[] = {"npt", "vmx-ept"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (is_off(policy_of(cpu, names[i])))
            return names[i];
    return NULL;
}

static void read_cpu(const xmlNode *root, NestDomainExtras *extras)
{
    const xmlNode *cpu = nest_element_child(root, "cpu");
    const xmlNode *kvm = nest_element_child(nest_element_child(root, "features"), "kvm");
    const xmlNode *hidden = nest_element_child(kvm, "hidden");
    NestFeaturePolicy invtsc = policy_of(cpu, "invtsc");
    extras->hypervisor_hidden = is_off(policy_of(cpu, "hypervisor")) ||
        (hidden != NULL && nest_element_has(hidden, "state", "on"));
    extras->paging_off = find_paging_off(cpu);
    extras->tsx_off = is_off(policy_of(cpu, "rtm")) && is_off(policy_of(cpu, "hle"));
    extras->invtsc = invtsc == NEST_POLICY_REQUIRE || invtsc == NEST_POLICY_FORCE;
    extras->migratable_off = cpu != NULL && nest_element_has(cpu, "migratable", "off");
}

static void read_memory(const xmlNode *root, NestDomainExtras *extras)
{
    const xmlNode *devices = nest_element_child(root, "devices");
    const xmlNode *backing = nest_element_child(root, "memoryBacking");
    extras->memory_hotplug = nest_element_child(root, "maxMemory") != NULL ||
        nest_element_child(devices, "memory") != NULL;
    extras->huge_pages = nest_element_child(backing, "hugepages") != NULL;
    extras->locked_memory = nest_element_child(backing, "locked") != NULL;
}

/* A display without the attribute takes no password; one that has it blank lets nobody in. */
static void read_display(const xmlNode *root, NestDomainExtras *extras)
{
    const xmlNode *devices = nest_element_child(root, "devices");
    for (const xmlNode *display = nest_element_child(devices, "graphics");
         display != NULL && extras->blank_display == NULL;
         display = nest_element_next(display, "graphics"))
        if (nest_element_has(display, "passwd", ""))
            extras->blank_display = nest_element_get(display, "type");
}

static void read_machine(const xmlNode *root, NestDomainExtras *extras)
{
    const xmlNode *devices = nest_element_child(root, "devices");
    const xmlNode *security = nest_element_child(root, "launchSecurity");
    const xmlNode *vcpu = nest_element_child(root, "vcpu");
    g_autofree char *now = vcpu != NULL ? nest_element_get(vcpu, "current") : NULL;
    guint64 vcpus = 0;
    if (now != NULL && g_ascii_string_to_unsigned(now, 10, 1, G_MAXINT16, &vcpus, NULL))
        extras->vcpus_now = vcpus;
    if (security != NULL)
        extras->launch_security = nest_element_get(security, "type");
    extras->vsock = nest_element_child(devices, "vsock") != NULL;
    for (const xmlNode *channel = nest_element_child(devices, "channel"); channel != NULL;
         channel = nest_element_next(channel, "channel")) {
        const xmlNode *target = nest_element_child(channel, "target");
        if (target != NULL && nest_element_has(target, "name", "org.qemu.guest_agent.0"))
            extras->agent = TRUE;
    }
}

void nest_domain_read_extras(const NestDocument *document, NestDomainExtras *extras)
{
    read_cpu(document->root, extras);
    read_memory(document->root, extras);
    read_machine(document->root, extras);
    read_display(document->root, extras);
    extras->nics = nest_nic_read_all(document);
    nest_domain_read_parts(document, extras);
    nest_domain_read_hyperv(document, &extras->hyperv);
}
