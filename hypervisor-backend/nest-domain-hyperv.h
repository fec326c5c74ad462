/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* What a definition says to Windows: whether that is what it runs, and which of Hyper-V's
 * enlightenments it gets. https://libvirt.org/formatdomain.html#hypervisor-features; what each is
 * for: QEMU, system/i386/hyperv.rst. */

typedef enum {
    NEST_HYPERV_RELAXED,
    NEST_HYPERV_VAPIC,
    NEST_HYPERV_SPINLOCKS,
    NEST_HYPERV_VPINDEX,
    NEST_HYPERV_RUNTIME,
    NEST_HYPERV_SYNIC,
    NEST_HYPERV_STIMER,
    NEST_HYPERV_STIMER_DIRECT, /* <stimer><direct>; it counts only with STIMER */
    NEST_HYPERV_FREQUENCIES,
    NEST_HYPERV_REENLIGHTENMENT,
    NEST_HYPERV_TLBFLUSH,
    NEST_HYPERV_IPI,
    NEST_HYPERV_CLOCK, /* the timer hypervclock */
    NEST_HYPERV_EVMCS,
    NEST_HYPERV_EMSR_BITMAP,
    NEST_HYPERV_TLBFLUSH_DIRECT,
    NEST_HYPERV_N
} NestHypervFeature;

typedef struct {
    char *os; /* as libosinfo names it: "http://microsoft.com/win/11"; NULL where not noted */
    gboolean windows; /* by that; where it is not noted, by any enlightenment */
    gboolean host_decides; /* the mode is passthrough or host-model: what the host has is on */
    gboolean passthrough;
    guint on; /* 1 << NestHypervFeature */
    gboolean hpet_off;
    char *debug; /* what is for debugging only: "hv-syndbg"; NULL where nothing */
} NestDomainHyperv;

/* As libvirt's XML calls it: "stimer direct". */
const char *nest_domain_hyperv_name(NestHypervFeature feature);

/* TRUE if feature is on, or left to the host. */
gboolean nest_domain_hyperv_has(const NestDomainHyperv *hyperv, NestHypervFeature feature);

void nest_domain_hyperv_clear(NestDomainHyperv *hyperv);
