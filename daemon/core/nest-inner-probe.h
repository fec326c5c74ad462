/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* One look into a guest with a POSIX shell: which hypervisors there are, the VMs that nestd keeps
 * there itself (nest-inner-qemu.c), and processes that run VMs. Pure. */

typedef struct {
    GStrv tools; /* "virsh", "qemu", … */
    char *qemu; /* the QEMU that can be run, NULL: none */
    gboolean kvm; /* /dev/kvm can be written to */
    GPtrArray *kept; /* NestInnerVm of the way "qemu" */
    GPtrArray *processes; /* NestInnerVm of nobody, managed FALSE */
} NestInnerProbe;
void nest_inner_probe_free(NestInnerProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestInnerProbe, nest_inner_probe_free)

/* The command, up to NULL. */
extern const char *const nest_inner_probe_words[];
/* GUEST_AGENT where text is nothing that it prints. */
NestInnerProbe *nest_inner_probe_read(const GString *text, GError **error);
gboolean nest_inner_probe_has(const NestInnerProbe *probe, const char *tool);

/* Where the way "qemu" keeps its VMs, each in a folder of its name. */
#define NEST_INNER_FOLDER "/var/lib/nestd-inner"
