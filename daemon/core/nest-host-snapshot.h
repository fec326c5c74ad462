/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-checks.h"
#include "nest-host-place.h"

/* What is known of the host at one moment: immutable, counted, shared between threads. */
typedef struct {
    NestHostFacts *facts;
    NestBackendCaps *caps; /* NULL while the backend is not open */
    NestAdvice *advice; /* NULL where no advisories were handed in */
    char *key; /* equal for snapshots that judge VMs alike */
} NestHostSnapshot;

/* Probes the host. caps (nullable) is what the backend can do, and is copied: asking for it may
 * take long, and changes only with the host. Reads a few files and tries /dev/kvm. */
NestHostSnapshot *nest_host_snapshot_take(NestHostPlace *place, const NestBackendCaps *caps);
NestHostSnapshot *nest_host_snapshot_ref(NestHostSnapshot *snapshot);
void nest_host_snapshot_unref(NestHostSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestHostSnapshot, nest_host_snapshot_unref)
