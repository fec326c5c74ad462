/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* The network devices of the host: what the kernel says of them in its answer to one question
 * (rtnetlink), or, where that can't be asked, in /sys/class/net. */

typedef enum { NEST_FLAG_UNKNOWN, NEST_FLAG_OFF, NEST_FLAG_ON } NestFlag;

/* A virtual function of a device. */
typedef struct {
    guint number;
    guint8 mac[6];
    NestFlag spoofchk, trust;
} NestVf;

typedef struct {
    char *name;
    char *kind; /* "bridge", "tun", "macvtap", "veth", …; NULL: hardware, or unknown */
    guint index;
    guint mtu; /* 0 unknown */
    guint master; /* the bridge or the like that it is a port of, by index; 0: none */
    guint lower; /* the device that it is made on, by index; 0: none, or in another namespace */
    NestFlag promiscuous; /* by request of a program; not what a bridge does by itself */
    char *mode; /* of a macvtap: "bridge", "passthrough", …; NULL unknown */
    gboolean port; /* of a bridge: the following are about that. https://docs.kernel.org */
    NestFlag learning, flood, isolated, guard, locked;
    NestFlag calls_firewall; /* of a bridge, by itself: nf_call_iptables */
    NestFlag stp; /* of a bridge */
    GArray *vfs; /* NestVf, NULL: none */
} NestLink;

void nest_link_free(NestLink *link);

typedef struct {
    GPtrArray *all; /* NestLink, in the order of their indexes */
    GHashTable *by_name; /* name → NestLink */
    char *error; /* why nothing is known, NULL where something is */
} NestLinks;

/* The most devices that are looked at. */
#define NEST_LINKS_MAX 20000

/* What is below root; "/" for this host. Never fails: error says why nothing is known. What could
 * not be read of a device is UNKNOWN: files do not tell locked ports, the mode of macvtap, virtual
 * functions, and whether promiscuous was asked for. */
NestLinks *nest_links_read(const char *root);

/* The files alone, and the kernel alone: NULL and an error where it can't be asked. */
NestLinks *nest_links_read_files(const char *root);
NestLinks *nest_links_ask_kernel(GError **error);

/* Takes devices over: array of NestLink. */
NestLinks *nest_links_new(GPtrArray *devices);
void nest_links_free(NestLinks *links);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestLinks, nest_links_free)

/* NULL where there is none, also for a name of NULL and the index 0. */
const NestLink *nest_links_find(const NestLinks *links, const char *name);
const NestLink *nest_links_at(const NestLinks *links, guint index);

/* Of the ports of bridge that lead out of the host, not to a VM, the one with the smallest MTU. */
const NestLink *nest_links_uplink(const NestLinks *links, const NestLink *bridge);

/* The virtual function that has mac ("52:54:…"), and the device that it is of. */
const NestVf *nest_links_vf(const NestLinks *links, const char *mac, const NestLink **ret_device);

/* Everything about link in one line, for comparing. */
char *nest_link_text(const NestLink *link);
