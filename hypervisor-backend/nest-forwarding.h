/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-links.h"

/* Whether frames that only cross a bridge pass through the host's firewall for IP, and whether that
 * drops some. */
typedef struct {
    NestFlag calls; /* br_netfilter hands IPv4 to it: net.bridge.bridge-nf-call-iptables */
    NestFlag drops; /* a chain of the hook forward has the policy drop; OFF: none, and no rules */
    char *chain; /* "filter FORWARD", where it drops */
    char *why; /* of drops UNKNOWN */
} NestForwarding;

/* Below root; chains are those of this host, and only looked at where root is "/" and calls is ON.
 * They are read from nftables: tables of the older iptables are not known. */
void nest_forwarding_read(const char *root, NestForwarding *ret_forwarding);
void nest_forwarding_clear(NestForwarding *forwarding);
