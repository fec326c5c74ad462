/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* IPv4 networks. Pure. */
typedef struct {
    guint32 address; /* host order, bits behind the prefix are 0 */
    guint prefix;
} NestSubnet;

/* "192.168.122.1" with prefix 24, or with netmask "255.255.255.0" where that is not NULL. FALSE
 * for anything else. */
gboolean nest_subnet_parse(
    const char *address, guint prefix, const char *netmask, NestSubnet *ret_subnet);

gboolean nest_subnet_overlaps(NestSubnet a, NestSubnet b);

/* "192.168.122.0/24" */
char *nest_subnet_text(NestSubnet subnet);

/* A /24 for the inner network of a VM that overlaps none of taken (array of NestSubnet) and no
 * network that hypervisors, containers and home routers take by default, so that it stays free on
 * every level. FALSE where there is none. */
gboolean nest_subnet_pick(const GArray *taken, NestSubnet *ret_subnet);

/* The network that libvirt gives its own network "default", which the VM's libvirt will want. */
#define NEST_SUBNET_LIBVIRT ((NestSubnet){0xc0a87a00, 24})
