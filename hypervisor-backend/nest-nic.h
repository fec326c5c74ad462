/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* An <interface> of a definition, as far as the frames of inner VMs are concerned. Strings are NULL
 * where the definition says nothing. */
typedef struct {
    char *type; /* "user", "network", "bridge", "direct", "hostdev", … */
    char *source; /* the network, bridge or device */
    char *bridge; /* the bridge of a running interface, whatever its type */
    char *mac;
    char *target; /* the tap device of what runs */
    char *filter;
    char *mode; /* of type direct: "vepa" where none is named */
    char *model;
    gboolean isolated;
    gboolean ovs; /* a port of Open vSwitch … */
    gboolean managed; /* … with the id that a network controller gave it */
    guint mtu; /* 0: none named */
} NestNic;

void nest_nic_free(NestNic *nic);
