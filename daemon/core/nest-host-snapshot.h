/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-checks.h"
#include "nest-host-place.h"
#include "nest-net.h"

/* What is known of the host at one moment: immutable, counted, shared between threads. */
typedef struct NestHostSnapshot NestHostSnapshot;
struct NestHostSnapshot {
    NestHostFacts *facts;
    NestBackendCaps *caps; /* NULL while the backend is not open */
    NestAdvice *advice; /* NULL where no advisories were handed in */
    NestNet *net;
    char *root;
    const NestPolicy *policy; /* the place's */
    char *today; /* when it was taken, as the policy counts days */
    char *key; /* equal for snapshots that judge VMs alike, but for their network */
    NestHostSnapshot *older; /* to which all but net belongs; NULL: it is its own */
};

/* Probes the host. caps (nullable) is what the backend can do, and is copied: asking for it may
 * take long, and changes only with the host. Reads a few files and tries /dev/kvm. */
NestHostSnapshot *nest_host_snapshot_take(NestHostPlace *place, const NestBackendCaps *caps);

/* The same with what libvirt has defined of networks (nullable). */
NestHostSnapshot *nest_host_snapshot_take_with(
    NestHostPlace *place, const NestBackendCaps *caps, NestNetDefinitions *definitions);

/* snapshot with the network devices of now: those of VMs come and go. */
NestHostSnapshot *nest_host_snapshot_renew(NestHostSnapshot *snapshot);

/* "2027-01-31", where the host is. */
char *nest_host_snapshot_today(void);

NestHostSnapshot *nest_host_snapshot_ref(NestHostSnapshot *snapshot);
void nest_host_snapshot_unref(NestHostSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostSnapshot, nest_host_snapshot_unref)
