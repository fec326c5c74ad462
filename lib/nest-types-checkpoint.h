/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Part of nest-types.h, which includes it: checkpoints, wishes that a guard may refuse, and
 * questions to a guard. */

/* A state of a VM that it can be put back to: of its disks, and of its memory if it ran. */
typedef struct {
    char *name;
    gint64 time;
    gboolean memory; /* it ran, and runs again when it is put back */
    gboolean current; /* the last one that was made or put back */
    NestNesting nesting; /* by the definition of then */
    NestActivity activity; /* with memory: what it did with its extension; unknown where somebody
                            * else made it */
    char *kernel; /* of the host then; NULL likewise */
    char *qemu_version;
    gboolean unfinished; /* it was begun, and can only be deleted */
} NestCheckpoint;

/* POST /v1/vms/{vm}/checkpoints */
typedef struct {
    char *name; /* NULL: made of the time */
    gboolean disk_only; /* also where it runs: without its memory, as after a power cut */
    gboolean force; /* also what a guard refuses; needs reason */
    char *reason;
} NestCheckpointWish;

/* PUT /v1/vms/{vm}/checkpoints/{checkpoint} */
typedef struct {
    gboolean force; /* also what a guard refuses; needs reason */
    char *reason;
} NestApplyWish;

/* POST /v1/vms/{vm}/restart: it begins anew within the same QEMU, so a changed definition does not
 * count yet. */
typedef struct {
    gboolean reset; /* by the reset button; else the guest is asked to reboot */
    guint timeout; /* seconds a reboot may take; 0: the configured time of a shutdown */
    gboolean force; /* also what a guard refuses; needs reason */
    char *reason;
} NestRestartWish;

/* POST /v1/vms/{vm}/migration */
typedef struct {
    char *to; /* "qemu+ssh://host/system" */
    gboolean offline; /* it is off, and only its definition moves */
    guint timeout; /* seconds it may take; 0 for an hour */
    gboolean force; /* also what a guard refuses; needs reason */
    char *reason;
} NestMigrationWish;

/* PUT /v1/vms/{vm}/memory: while it runs by the balloon, else the most and what it boots with. */
typedef struct {
    guint64 memory_kib;
    gboolean force; /* also what a guard refuses; needs reason */
    char *reason;
} NestMemoryWish;

/* What somebody else asks the hypervisor to do to a VM. */
typedef enum {
    NEST_OUTSIDE_RESTORE, /* "restore": resume it from a saved state */
    NEST_OUTSIDE_MIGRATE_IN /* "migrate-in": take it over from another host */
} NestOutsideKind;

/* POST /v1/guard */
typedef struct {
    NestOutsideKind operation;
    char *xml; /* the definition that it would run by, at most NEST_XML_MAX bytes */
} NestGuardWish;
