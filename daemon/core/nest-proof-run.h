/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-core-private.h"

/* One proof, of the host or of a VM: it begins on the main thread, boots on a reader, and is told
 * to all who wait for it on the main thread. */
typedef struct NestProofRun NestProofRun;
typedef void (*NestProofEnded)(NestProofRun *run);

struct NestProofRun {
    NestCore *core;
    NestAccel accel; /* of the host; of a VM once it was read */
    char *uuid; /* NULL: of the host */
    char *name; /* of the VM, once it was read */
    gboolean hidden; /* the extension, by its definition */
    NestHostSnapshot *host; /* that the VM is read by */
    NestHostSnapshot *news; /* with another QEMU or libvirt; NULL: with the same */
    gint64 begun; /* monotonic, µs */
    GPtrArray *waiters; /* GTask */
    NestProof *proof; /* NULL: failed with error */
    GError *error;
    NestProofEnded ended; /* called before those who wait are told */
};

/* waiters are taken over, uuid (nullable) is copied. */
void nest_proof_run_start(
    NestCore *core, NestAccel accel, const char *uuid, GPtrArray *waiters, NestProofEnded ended);

/* The name of the setting that keeps the last one. */
char *nest_proof_run_setting(NestAccel accel, const char *uuid);

/* What it says in store, NULL for none; one that this version does not understand is none. */
NestProof *nest_proof_run_last(NestStore *store, NestAccel accel, const char *uuid);

/* What it depends on has changed: KVM's own part is the kernel's, QEMU's software CPU is QEMU's. */
gboolean nest_proof_is_outdated(const NestProof *proof, const NestHost *host);
