/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-inner-way.h"
#include <gio/gio.h>

/* A visit to the VMs inside a VM, over its agent. All of it blocks, for so long as is said at its
 * start at most, and for a few seconds more where something hangs there. */
typedef struct NestInner NestInner;

/* Looks which hypervisors are in the guest, and lists their VMs. NULL: the guest can't be asked, as
 * the agent of NestBackendOps; VM_UNFIT where it may not run commands. A hypervisor that can't be
 * asked is a warning. cancellable is borrowed, NULL none. */
NestInner *nest_inner_visit(NestBackend *backend, const char *uuid, guint seconds,
    GCancellable *cancellable, GError **error);
void nest_inner_free(NestInner *inner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInner, nest_inner_free)

/* Lists them anew; so many seconds from now on. cancellable as above, from now on. */
gboolean nest_inner_look(
    NestInner *inner, guint seconds, GCancellable *cancellable, GError **error);

/* What was seen last, with at most max VMs, judged by what the VM around them has. */
NestInnerVms *nest_inner_show(const NestInner *inner, guint max, guint64 memory_kib, guint vcpus);
/* All of them together. */
const NestTreeSum *nest_inner_sum(const NestInner *inner);

/* FALSE: that hypervisor could not be asked which VMs it has. */
gboolean nest_inner_answered(const NestInner *inner, const char *by);

/* By its name; by: of that hypervisor, NULL any. VM_NOT_FOUND; INVALID_REQUEST where several are;
 * HYPERVISOR where it may be that of one that could not be asked. */
const NestInnerVm *nest_inner_find(
    const NestInner *inner, const char *name, const char *by, GError **error);

/* The hypervisor to make spec with: that of its name, else the first that answers and can. NULL
 * where none is there (VM_UNFIT), answers (HYPERVISOR) or can (as create of nest-inner-way.h), or
 * the name is taken (VM_EXISTS). */
const NestInnerWay *nest_inner_choose(
    const NestInner *inner, const NestInnerSpec *spec, GError **error);

/* UNSUPPORTED: it is a process of nobody. */
gboolean nest_inner_check_managed(const NestInnerVm *vm, GError **error);

/* Each asks the hypervisor, and looks at nothing afterwards. HYPERVISOR: it says no. */
gboolean nest_inner_create(
    NestInner *inner, const NestInnerWay *way, const NestInnerSpec *spec, GError **error);
/* With the disk that was made for it; it must be off. */
gboolean nest_inner_remove(NestInner *inner, const NestInnerVm *vm, GError **error);
gboolean nest_inner_power(NestInner *inner, const NestInnerVm *vm, gboolean on, GError **error);
/* Asks what runs in it to shut down; whether it does is to be seen. Some hypervisors wait for that
 * for so many seconds themselves. cancellable as above, from now on. */
gboolean nest_inner_shut_down(NestInner *inner, const NestInnerVm *vm, guint seconds,
    GCancellable *cancellable, GError **error);
/* Right after one of these failed with error. TRUE: it was not begun, or the hypervisor said no.
 * Else it may have been carried out. */
gboolean nest_inner_is_refused(const NestInner *inner, const GError *error);
/* Likewise. TRUE: it may still be under way, for it could not be ended, or is out of sight. */
gboolean nest_inner_is_loose(const NestInner *inner);

/* The end of what it printed on its serial console. UNSUPPORTED where there is no such thing. */
NestInnerConsole *nest_inner_console(NestInner *inner, const NestInnerVm *vm, GError **error);
