/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-domain-read.h"
#include <string.h>

/* What of a definition's CPU, disks and devices matters to inner VMs beside the rest. */

static void read_features(const xmlNode *root, NestDomainExtras *extras)
{
    g_autoptr(GStrvBuilder) asked = g_strv_builder_new();
    g_autoptr(GStrvBuilder) hidden = g_strv_builder_new();
    const struct {
        const char *name;
        gboolean on;
        gboolean *fact;
    } named[] = {{"arch-capabilities", TRUE, &extras->arch_capabilities},
        {"arch-capabilities", FALSE, &extras->arch_capabilities_off},
        {"md-clear", FALSE, &extras->md_clear_off}, {"flush-l1d", FALSE, &extras->flush_l1d_off}};
    const xmlNode *cpu = nest_element_child(root, "cpu");
    for (const xmlNode *feature = nest_element_child(cpu, "feature"); feature != NULL;
         feature = nest_element_next(feature, "feature")) {
        g_autofree char *name = nest_element_get(feature, "name");
        NestFeaturePolicy policy = nest_domain_policy(feature);
        gboolean on = policy == NEST_POLICY_REQUIRE || policy == NEST_POLICY_FORCE;
        gboolean off = policy == NEST_POLICY_DISABLE || policy == NEST_POLICY_FORBID;
        if (name == NULL)
            continue;
        if (g_str_has_prefix(name, "vmx-") && (on || off))
            g_strv_builder_add(on ? asked : hidden, name);
        for (guint i = 0; i < G_N_ELEMENTS(named); i++)
            if (strcmp(name, named[i].name) == 0 && (named[i].on ? on : off))
                *named[i].fact = TRUE;
    }
    extras->parts = g_strv_builder_end(asked);
    extras->parts_off = g_strv_builder_end(hidden);
}

/* oVirt and its descendants run the Memory Overcommit Manager, which moves balloons. */
static void read_manager(const xmlNode *root, NestDomainExtras *extras)
{
    const xmlNode *metadata = nest_element_child(root, "metadata");
    for (const xmlNode *node = metadata != NULL ? metadata->children : NULL; node != NULL;
         node = node->next)
        if (node->type == XML_ELEMENT_NODE && node->ns != NULL && extras->manager == NULL &&
            g_str_has_prefix((const char *)node->ns->href, "http://ovirt.org/vm"))
            extras->manager = g_strdup("oVirt");
}

static void read_balloon(const xmlNode *devices, NestDomainExtras *extras)
{
    const xmlNode *balloon = nest_element_child(devices, "memballoon");
    if (balloon == NULL)
        return;
    extras->autodeflate = nest_element_has(balloon, "autodeflate", "on");
    extras->free_page_reporting = nest_element_has(balloon, "freePageReporting", "on");
}

/* An empty <backingStore/> says that there is nothing below; without the element it is not known
 * (formatdomain: libvirt fills it in when the VM starts). */
static void read_disks(const xmlNode *devices, NestDomainExtras *extras)
{
    extras->overlay_known = TRUE;
    for (const xmlNode *disk = nest_element_child(devices, "disk"); disk != NULL;
         disk = nest_element_next(disk, "disk")) {
        gboolean is_disk = !nest_element_has(disk, "device", "cdrom") &&
            !nest_element_has(disk, "device", "floppy");
        const xmlNode *below = nest_element_child(disk, "backingStore");
        if (is_disk && below == NULL)
            extras->overlay_known = FALSE;
        if (is_disk && nest_element_child(below, "source") != NULL && extras->overlay == NULL)
            extras->overlay = nest_element_get(nest_element_child(disk, "target"), "dev");
    }
}

/* Intel's needs both; virtio's and AMD's work without more. */
static gboolean is_ready(const xmlNode *iommu, const char *model)
{
    const xmlNode *driver = nest_element_child(iommu, "driver");
    if (g_strcmp0(model, "intel") != 0)
        return TRUE;
    return driver != NULL && nest_element_has(driver, "intremap", "on") &&
        nest_element_has(driver, "caching_mode", "on");
}

static void read_devices(const xmlNode *devices, NestDomainExtras *extras)
{
    const xmlNode *iommu = nest_element_child(devices, "iommu");
    const xmlNode *folder = nest_element_child(devices, "filesystem");
    extras->iommu = nest_element_get(iommu, "model");
    extras->iommu_ready = iommu != NULL && is_ready(iommu, extras->iommu);
    if (folder != NULL) {
        extras->shared_folder = nest_element_get(nest_element_child(folder, "driver"), "type");
        if (extras->shared_folder == NULL)
            extras->shared_folder = g_strdup("path");
    }
    for (const xmlNode *device = nest_element_child(devices, "hostdev"); device != NULL;
         device = nest_element_next(device, "hostdev"))
        if (extras->host_device == NULL || nest_element_has(device, "type", "pci")) {
            g_free(extras->host_device);
            extras->host_device = nest_element_get(device, "type");
        }
}

void nest_domain_read_parts(const NestDocument *document, NestDomainExtras *extras)
{
    const xmlNode *devices = nest_element_child(document->root, "devices");
    read_features(document->root, extras);
    read_manager(document->root, extras);
    read_balloon(devices, extras);
    read_disks(devices, extras);
    read_devices(devices, extras);
}
