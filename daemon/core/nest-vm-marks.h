/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-net.h"
#include "nest-store.h"

/* What nestd itself knows of a VM, beside what the hypervisor says; a copy. */
typedef struct {
    NestTrust trust;
    gboolean guarded; /* nestd switched nesting on, and it was not switched off through nestd */
    char *left_as; /* the fingerprint of the definition as nestd left it; NULL: not known */
    gboolean fresh; /* not started since nesting was switched on */
    char *open; /* what of its interfaces nestd left open, nest-barrier.h; NULL: nothing */
    char *saved; /* nest-saved-state.h's note of what nestd saved; NULL: none */
    NestActivity activity; /* as last sampled; NONE where it was not */
    int run; /* the run that the following two are of */
    NestAnswer exposed; /* what QEMU's monitor told of its extension */
    char *started_as; /* the fingerprint of the definition that nestd saw it start with */
} NestVmMarks;
void nest_vm_marks_free(NestVmMarks *marks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestVmMarks, nest_vm_marks_free)

/* So many revisions, with their definitions, are looked through for who asked for nesting. */
#define NEST_VM_MARKS_LOOK_BACK 100

/* The mark that the operation of intent, which ended as done, leaves, pure; NULL: it stays as it
 * is. net (nullable): tells what the filters of interfaces do. history (NestStoredRevision, the
 * newest first, of those that are there at least NEST_VM_MARKS_LOOK_BACK; NULL: not known): of the
 * VM, without this operation; tells of an undo whether it goes back to nesting that nestd was asked
 * for. */
NestStoredMark *nest_vm_marks_after(
    const NestStoredMark *mark, const NestIntent *intent, NestNet *net, const GPtrArray *history);
