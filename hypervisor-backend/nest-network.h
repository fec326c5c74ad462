/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-subnet.h"

/* A virtual network of libvirt, as far as the frames of inner VMs are concerned. Pure.
 * https://libvirt.org/formatnetwork.html */
typedef struct {
    char *name;
    char *forward; /* "nat", "route", "open", "bridge", "passthrough", "hostdev", …; NULL: none */
    char *bridge; /* NULL: none, or one whose name libvirt chooses */
    char *device; /* what it forwards to */
    gboolean fixed_table; /* libvirt keeps the bridge's table of MAC addresses */
    gboolean isolated; /* the ports of its VMs */
    gboolean ovs;
    GArray *subnets; /* NestSubnet */
} NestNetwork;

void nest_network_free(NestNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestNetwork, nest_network_free)

NestNetwork *nest_network_read(const char *xml, GError **error);

/* TRUE if its VMs are behind an address of the host, or reach nothing: not on the host's own net.
 */
gboolean nest_network_is_own(const NestNetwork *network);
