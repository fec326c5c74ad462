/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-domain-xml.h"
#include "nest-net.h"

/* The way that a frame of an inner VM takes, for each interface of a VM: the interface, its filter,
 * its tap device or macvtap or virtual function, the bridge, the uplink. Pure. */

typedef enum {
    NEST_WAY_UNKNOWN, /* a libvirt network whose definition could not be read */
    NEST_WAY_USER, /* user-mode: knows the VM's address only */
    NEST_WAY_OWN, /* a network of libvirt's own, behind an address of the host */
    NEST_WAY_BRIDGE, /* a bridge, and over its uplink out of the host */
    NEST_WAY_MACVTAP,
    NEST_WAY_FUNCTION, /* a virtual function of a network card, handed to the VM */
    NEST_WAY_OTHER
} NestWay;

/* All but strings, filter and subnets is borrowed; NULL where it is not there or not known. */
typedef struct {
    const NestNic *nic; /* as stored */
    const NestNic *live; /* as it runs, NULL where it does not */
    char *name; /* for people: the tap, else the MAC address */
    NestWay way;
    NestFilterVerdict filter; /* of the stored definition */
    const NestNetwork *network;
    const char *mode; /* of macvtap */
    gboolean ovs, managed, isolated;
    const char *tap_name; /* as it runs */
    const NestLink *tap, *bridge, *uplink;
    const NestVf *vf;
    const NestLink *vf_device;
    GArray *subnets; /* NestSubnet: those in which the VM's own address is, as far as known */
} NestNetPath;

typedef struct {
    NestNet *net; /* NULL: only the definition is known */
    GPtrArray *paths; /* NestNetPath, one for each interface of the stored definition */
    GStrv blocking; /* the filters of the interfaces that drop foreign MAC addresses, each once */
} NestVmNet;

/* domain and live (nullable) must outlive it; net is nullable. */
NestVmNet *nest_vm_net_new(NestNet *net, const NestDomain *domain, const NestDomain *live);
void nest_vm_net_free(NestVmNet *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVmNet, nest_vm_net_free)

/* A /24 for the VM's inner network that is free here, and by what is known, on every level; FALSE
 * where there is none, or the routes of this host are not known. Networks that could not be read
 * do not count. */
gboolean nest_vm_net_pick(const NestVmNet *vm, NestSubnet *ret_subnet);
