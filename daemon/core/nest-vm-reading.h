/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-snapshot.h"

/* One VM as the hypervisor had it at one moment, with its definitions read. Owns all of it. */
typedef struct {
    NestVmFacts *facts;
    NestDomain *domain;
    NestDomain *live; /* NULL where nothing runs */
    NestHostSnapshot *host;
    NestVmView view; /* of the above */
} NestVmReading;

/* Reads uuid from the backend. Blocks. */
NestVmReading *nest_vm_reading_take(
    NestBackend *backend, NestHostSnapshot *host, const char *uuid, GError **error);

/* Takes facts over, also on failure. */
NestVmReading *nest_vm_reading_new(NestVmFacts *facts, NestHostSnapshot *host, GError **error);
void nest_vm_reading_free(NestVmReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVmReading, nest_vm_reading_free)

/* A hash of everything in facts and host that a NestVm is made of. */
char *nest_vm_facts_key(const NestVmFacts *facts, const NestHostSnapshot *host);
