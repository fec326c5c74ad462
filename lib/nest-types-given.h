/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Part of nest-types.h, which includes it: the CPU that a VM really got. */

typedef enum {
    NEST_PRESENCE_UNKNOWN, /* "unknown": can't be told */
    NEST_PRESENCE_ABSENT, /* "absent" */
    NEST_PRESENCE_PRESENT /* "present" */
} NestPresence;

/* By whose word. */
typedef enum {
    NEST_WITNESS_NONE, /* "none" */
    NEST_WITNESS_LIBVIRT, /* "libvirt": it compared the CPU of QEMU with what was asked for */
    NEST_WITNESS_COMMAND, /* "command": QEMU was started with it switched off */
    NEST_WITNESS_LOG, /* "log": QEMU's of this start */
    NEST_WITNESS_MONITOR /* "monitor": QEMU was asked for a feature of its virtual CPU */
} NestWitness;

typedef enum {
    NEST_FLAW_NONE, /* "none" */
    NEST_FLAW_MISSING, /* "missing": it is asked for, and not there */
    NEST_FLAW_UNWANTED /* "unwanted": it is to be hidden, and there */
} NestFlaw;

/* What of the extension a VM that runs was given. */
typedef struct {
    NestExtension extension; /* the one that nesting would use in it */
    NestPresence presence;
    NestWitness witness;
    NestFlaw flaw;
    gint64 since; /* when QEMU was started, 0: not known */
} NestGiven;

void nest_given_free(NestGiven *given);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestGiven, nest_given_free)
