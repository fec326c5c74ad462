/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-snapshot.h"
#include "nest-marks.h"

/* One VM as the hypervisor had it at one moment, with its definitions read. Owns all of it. */
typedef struct {
    NestVmFacts *facts;
    NestDomain *domain;
    NestDomain *live; /* NULL where nothing runs */
    NestHostSnapshot *host;
    NestVmMarks *marks;
    NestVmNet *net;
    NestVmView view; /* of the above */
} NestVmReading;

/* Reads uuid from the backend. marks (nullable): of all VMs. Blocks. */
NestVmReading *nest_vm_reading_take(NestBackend *backend, NestHostSnapshot *host, NestMarks *marks,
    const char *uuid, GError **error);

/* Takes facts over, also on failure. */
NestVmReading *nest_vm_reading_new(
    NestVmFacts *facts, NestHostSnapshot *host, NestMarks *marks, GError **error);
void nest_vm_reading_free(NestVmReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVmReading, nest_vm_reading_free)

/* A hash of everything in facts, host and marks that a NestVm is made of, but for the activity. */
char *nest_vm_facts_key(
    const NestVmFacts *facts, const NestHostSnapshot *host, const NestVmMarks *marks);
