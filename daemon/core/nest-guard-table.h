/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What nesting forbids, as one table: operation, what the VM does with its extension, whose
 * extension it is, what the host's kernel and QEMU can carry, and the administrator's policy. Pure:
 * no VM is looked at here. */

typedef enum {
    NEST_GUARD_START,
    NEST_GUARD_RESTORE, /* start from a saved state */
    NEST_GUARD_SHUTDOWN,
    NEST_GUARD_STOP,
    NEST_GUARD_RESET,
    NEST_GUARD_REBOOT, /* by the guest */
    NEST_GUARD_PAUSE,
    NEST_GUARD_SAVE,
    NEST_GUARD_CHECKPOINT, /* of disks and memory, running */
    NEST_GUARD_CHECKPOINT_DISK, /* of disks alone, running */
    NEST_GUARD_CHECKPOINT_OFF,
    NEST_GUARD_APPLY, /* a checkpoint, to a VM that runs */
    NEST_GUARD_APPLY_OFF, /* of disks, to a VM that is off */
    NEST_GUARD_APPLY_MEMORY, /* of disks and memory, to a VM that is off */
    NEST_GUARD_MIGRATE,
    NEST_GUARD_MIGRATE_IN,
    NEST_GUARD_MIGRATE_INNER, /* an inner VM, to another VM */
    NEST_GUARD_MIGRATE_OFF, /* the definition alone */
    NEST_GUARD_MEMORY, /* resize while it runs, by the balloon */
    NEST_GUARD_MEMORY_DEVICE, /* plug or unplug memory */
    NEST_GUARD_VCPU_ADD,
    NEST_GUARD_VCPU_REMOVE,
    NEST_GUARD_CPU, /* another CPU, while it runs */
    NEST_GUARD_DISABLE,
    NEST_GUARD_NETWORK, /* unplug an interface, tighten a filter */
    NEST_GUARD_DEVICE, /* unplug a device that an inner VM may have */
    NEST_GUARD_DUMP,
    NEST_GUARD_BACKUP,
    NEST_GUARD_FREEZE,
    NEST_GUARD_MODULE, /* reload the host's KVM module */
    NEST_GUARD_HOST_SAVE, /* shut the host down, saving its VMs */
    NEST_GUARD_HOST_UPGRADE, /* another kernel or QEMU */
    NEST_GUARD_DELETE,
    NEST_GUARD_EXEC,
    NEST_N_GUARDS
} NestGuarded;

/* What a VM does with the extension. */
typedef enum {
    NEST_GUARD_ALONE, /* it has none */
    NEST_GUARD_EXPOSED, /* it has it */
    NEST_GUARD_ARMED, /* its hypervisor has switched it on */
    NEST_GUARD_HOSTING, /* an inner VM runs, or nobody knows */
    NEST_N_GUARD_PHASES
} NestGuardPhase;

typedef enum { NEST_GUARD_INTEL, NEST_GUARD_AMD, NEST_GUARD_TCG, NEST_N_GUARD_MAKES } NestGuardMake;

/* Whether kernel and QEMU hand nested state out and take it back. */
typedef enum {
    NEST_GUARD_LOSES, /* they don't, or nobody knows */
    NEST_GUARD_CARRIES,
    NEST_GUARD_CARRIES_WELL, /* and on AMD the known faults in that are mended */
    NEST_N_GUARD_STACKS
} NestGuardStack;

/* [guard] parity */
typedef enum {
    NEST_PARITY_HYPERV, /* what Hyper-V refuses is refused */
    NEST_PARITY_KVM, /* what this host can do is allowed */
    NEST_PARITY_STRICT, /* as hyperv, as soon as the extension is exposed */
    NEST_N_PARITIES
} NestParity;

typedef enum {
    NEST_SAY_OK,
    NEST_SAY_WARN,
    NEST_SAY_REFUSE, /* unless it is forced */
    NEST_SAY_NEVER /* also then */
} NestGuardSay;

typedef struct {
    NestGuardPhase phase;
    NestGuardMake make;
    NestGuardStack stack;
} NestGuardState;

extern const char *const nest_guard_phase_nicks[]; /* "alone", "exposed", … */
extern const char *const nest_parity_nicks[];

typedef struct {
    const char *id; /* "guard.save" */
    const char *done; /* what the VM can't be: "saved" */
    const char *harm; /* what would happen; a clause */
    const char *next; /* the way out; %s: the VM's name */
    const char *title; /* for the catalogue: what is guarded */
    const char *source; /* where the rule is from */
} NestGuardAbout;

const NestGuardAbout *nest_guard_about(NestGuarded operation);

NestGuardSay nest_guard_table_say(
    NestGuarded operation, const NestGuardState *state, NestParity parity);

/* TRUE if the host could do it, and only the policy is against it. */
gboolean nest_guard_table_by_policy(
    NestGuarded operation, const NestGuardState *state, NestParity parity);

/* The worst that operation ever says, under parity. */
NestGuardSay nest_guard_table_worst(NestGuarded operation, NestParity parity);
