/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-domain-hyperv.h"
#include "nest-nic.h"

/* What a definition says beside nesting itself, as far as it matters to VMs that host others. */
typedef struct {
    gboolean hypervisor_hidden; /* the CPU flag is disabled, or KVM hidden */
    gboolean tsx_off; /* hle and rtm are disabled */
    const char *paging_off; /* "npt", "vmx-ept": nested paging that is disabled; NULL: none */
    gboolean invtsc; /* the time stamp counter is promised not to change its pace */
    gboolean migratable_off;
    guint vcpus_now; /* at boot; 0: all */
    gboolean memory_hotplug; /* room for, or devices of, memory that comes and goes */
    gboolean huge_pages, locked_memory;
    char *launch_security; /* "sev", "tdx"; NULL where none */
    gboolean agent; /* a channel of QEMU's guest agent */
    gboolean vsock;
    char *blank_display; /* one with a blank password: "vnc", "spice"; NULL where none */
    GPtrArray *nics; /* NestNic */
    gboolean arch_capabilities, arch_capabilities_off; /* is asked for, is disabled by its name */
    gboolean md_clear_off, flush_l1d_off; /* are disabled */
    GStrv parts; /* the features vmx-… that are asked for; empty where none */
    GStrv parts_off; /* … that are disabled */
    gboolean autodeflate, free_page_reporting; /* of the balloon */
    char *manager; /* who else runs this VM and its memory: "oVirt"; NULL: nobody known */
    char *overlay; /* a disk whose image has another one below: "vda"; NULL: none known */
    gboolean overlay_known; /* the definition lists what is below the images */
    char *host_device; /* "pci"; NULL where none */
    char *iommu; /* its model, NULL where there is none */
    gboolean iommu_ready; /* it can hand devices on to inner VMs */
    char *shared_folder; /* a folder of the host that the guest mounts: its driver; NULL: none */
    NestDomainHyperv hyperv;
} NestDomainExtras;

void nest_domain_extras_clear(NestDomainExtras *extras);
