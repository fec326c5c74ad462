/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Part of nest-types.h, which includes it: VMs inside VMs. All that is told of them is the word of
 * the guest that hosts them. */

typedef struct {
    char *name;
    char *by; /* the hypervisor: "libvirt", "qemu", "hyper-v", … */
    char *id; /* what that calls it, where names may be equal; NULL: by its name */
    NestVmState state;
    guint64 memory_kib; /* at most; 0: not known */
    guint vcpus; /* 0: not known */
    gboolean managed; /* FALSE: a process that nobody but its owner starts and stops */
} NestInnerVm;

/* What VMs have together. */
typedef struct {
    guint count;
    guint64 memory_kib;
    guint vcpus;
} NestTreeSum;

#define NEST_INNER_MAX 1000

/* GET /v1/vms/{vm}/guests */
typedef struct {
    GStrv hypervisors; /* that are in the guest */
    gboolean kvm; /* /dev/kvm is there, or Hyper-V */
    GPtrArray *vms; /* NestInnerVm, by name; at most NEST_INNER_MAX */
    guint more; /* so many are left out of vms */
    NestTreeSum *all; /* those that are left out included */
    NestTreeSum *active; /* of those that run, or are paused: what they hold now */
    GStrv overcommitted; /* sentences: where they have more than their VM */
    GStrv warnings; /* sentences: whom could not be asked */
} NestInnerVms;

/* POST /v1/vms/{vm}/guests: all paths are of the guest. Unset fields are NULL, 0 or FALSE. */
typedef struct {
    char *name;
    char *by; /* NULL: the first that is there and can */
    guint64 memory_kib;
    guint vcpus; /* 0: 1 */
    guint64 disk_bytes; /* > 0: a new disk */
    char *disk; /* or the path of an existing image */
    char *disk_format; /* of the existing image: "qcow2" or "raw"; never probed */
    char *iso;
    char *kernel, *initrd, *cmdline;
    char *network; /* "none", "user", "bridge=BR", "network=NET"; NULL: "user" */
    NestAccel accel;
    gboolean start; /* and start it */
} NestInnerSpec;

/* PUT /v1/vms/{vm}/guests/{guest}/state */
typedef struct {
    NestVmState state; /* RUNNING or OFF: what runs in it is asked to shut down */
    gboolean force; /* off: at once, as if the plug were pulled */
    guint timeout; /* seconds a shutdown may take; 0: the configured time */
    char *by; /* NULL: where no other has a VM of that name */
} NestInnerWish;

/* GET /v1/vms/{vm}/guests/{guest}/console */
typedef struct {
    char *name;
    char *by;
    char *text; /* the end of what it printed on its serial console */
} NestInnerConsole;

typedef struct {
    char *uuid;
    char *name;
    NestVmState state;
    NestAccel accel;
    NestNesting nesting;
    NestActivity activity;
    guint64 memory_kib;
    guint vcpus;
    NestInnerVms *inner; /* NULL: not known */
    char *inner_unknown; /* why; NULL where it is known, and where it does not run */
    gint64 inner_time; /* when the guest was asked */
} NestTreeVm;

/* GET /v1/tree */
typedef struct {
    char *name; /* of the host */
    char *hypervisor; /* "QEMU 7.2.22, libvirt 9.0.0" */
    guint cpus;
    guint64 memory_kib;
    NestTreeSum *all, *active; /* of the VMs; active: those that hold memory now */
    GStrv overcommitted; /* sentences */
    GPtrArray *vms; /* NestTreeVm, by name */
} NestTree;

void nest_inner_vms_free(NestInnerVms *vms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInnerVms, nest_inner_vms_free)
void nest_inner_vm_free(NestInnerVm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInnerVm, nest_inner_vm_free)
void nest_inner_spec_free(NestInnerSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInnerSpec, nest_inner_spec_free)
void nest_inner_wish_free(NestInnerWish *wish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInnerWish, nest_inner_wish_free)
void nest_inner_console_free(NestInnerConsole *console);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInnerConsole, nest_inner_console_free)
void nest_tree_vm_free(NestTreeVm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestTreeVm, nest_tree_vm_free)
void nest_tree_free(NestTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestTree, nest_tree_free)
