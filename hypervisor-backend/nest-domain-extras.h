/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What a definition says beside nesting itself, as far as it matters to VMs that host others. */
typedef struct {
    gboolean hypervisor_hidden; /* the CPU flag is disabled, or KVM hidden */
    gboolean tsx_off; /* hle and rtm are disabled */
    gboolean invtsc; /* the time stamp counter is promised not to change its pace */
    gboolean migratable_off;
    guint vcpus_now; /* at boot; 0: all */
    gboolean memory_hotplug; /* room for, or devices of, memory that comes and goes */
    gboolean huge_pages, locked_memory;
    char *launch_security; /* "sev", "tdx"; NULL where none */
    gboolean agent; /* a channel of QEMU's guest agent */
    gboolean vsock;
    char *macvtap; /* the mode of an interface that passes its own MAC address only; NULL: none */
    char *isolated; /* the MAC address of an interface whose port is isolated; NULL: none */
    char *ovs; /* of one on Open vSwitch whose port has an interface id; NULL: none */
    char *slow_model; /* the model of an emulated interface: "e1000"; NULL: none */
    guint interfaces;
} NestDomainExtras;

void nest_domain_extras_clear(NestDomainExtras *extras);
