/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-forwarding.h"
#include "nest-links.h"
#include "nest-network.h"
#include "nest-nwfilter.h"

/* What is known of the host's network at one moment: immutable, counted, shared between threads. */

/* What libvirt has defined. */
typedef struct {
    GHashTable *filters; /* name → NestNwfilter; NULL: could not be read */
    GHashTable *networks; /* name → NestNetwork; NULL: could not be read */
    char *networks_why, *filters_why; /* why not */
    char *key; /* equal for equal definitions */
} NestNetDefinitions;

/* Asks the backend. Never fails: networks_why and filters_why say what is wrong. Blocks. */
NestNetDefinitions *nest_net_definitions_take(NestBackend *backend);

/* The same from texts, array of XML; those that can't be understood are left out. */
NestNetDefinitions *nest_net_definitions_new(const GPtrArray *texts);
NestNetDefinitions *nest_net_definitions_ref(NestNetDefinitions *definitions); /* NULL gives NULL */
void nest_net_definitions_unref(NestNetDefinitions *definitions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestNetDefinitions, nest_net_definitions_unref)

/* An IPv4 route of the host. */
typedef struct {
    NestSubnet subnet;
    char device[16];
} NestRoute;

typedef struct {
    NestNetDefinitions *definitions; /* NULL: nobody asked */
    NestLinks *links;
    GArray *routes; /* NestRoute, without the default one and those to a single machine */
    char *routes_error; /* why they are not known */
    NestForwarding forwarding;
    char *key; /* equal where all but the devices is equal */
} NestNet;

/* Reads routes, devices and firewall below root. definitions is nullable. Takes a millisecond, and
 * some more for each thousand devices. */
NestNet *nest_net_take(const char *root, NestNetDefinitions *definitions);
NestNet *nest_net_ref(NestNet *net);
void nest_net_unref(NestNet *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestNet, nest_net_unref)

/* The routes in a text like /proc/net/route. */
GArray *nest_net_read_routes(const char *text);

/* Equal as long as net says the same about the VM of this definition (nullable). Cheap: it does not
 * parse. */
char *nest_net_key(const NestNet *net, const char *xml);
