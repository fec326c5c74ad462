/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Those parts of a definition that say which CPU its VM gets, to be put into another one. Pure. */
typedef struct {
    char *type; /* "kvm" or "qemu" */
    char *arch; /* NULL: the hypervisor's own */
    char *machine; /* NULL: likewise */
    char *cpu; /* the <cpu>, byte for byte but for topology, NUMA cells and cache, which depend on
                * the number of CPUs; "" where the hypervisor chooses it */
    char *features; /* what of <features> becomes a part of the CPU: byte for byte, or "" */
    char *clock; /* the <clock>, whose timers do, or "" */
    char *emulator; /* the <emulator>, or "" */
} NestDomainLikeness;

/* INVALID_REQUEST for what is no definition, UNSUPPORTED where the architecture or the hypervisor
 * has no such extension, VM_UNFIT where <qemu:commandline> chooses the CPU. */
NestDomainLikeness *nest_domain_likeness(const char *xml, GError **error);
void nest_domain_likeness_free(NestDomainLikeness *likeness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestDomainLikeness, nest_domain_likeness_free)
