/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-guests.h"

/* Of nestd's own VMs, with its default directories; qemu.local.conf beside it is part of it. */
#define NEST_HOST_OWN_QEMU_CONF "var/lib/nestd/vm/etc/qemu.conf"

/* How the kernel of the host is set up, beyond whether it can nest: what makes nesting slow, less
 * safe or short-lived. */

typedef enum {
    NEST_TUNING_LOCKDOWN, /* "[none] integrity confidentiality" */
    NEST_TUNING_SMT, /* 1: hyper-threads are in use */
    NEST_TUNING_KSM, /* 1: equal pages are merged */
    NEST_TUNING_SHADOW_VMCS, /* Intel */
    NEST_TUNING_APICV, /* enable_apicv, on AMD avic */
    NEST_TUNING_NX_HUGE_PAGES,
    NEST_TUNING_HALT_POLL, /* nanoseconds */
    NEST_TUNING_HUGE_PAGES, /* transparent ones: "always [madvise] never" */
    NEST_TUNING_SPLIT_LOCK, /* 1: whoever splits a lock is slowed down */
    NEST_TUNING_IGNORE_MSRS,
    NEST_TUNING_VIRT_AT_LOAD, /* KVM takes the extension when it is loaded */
    NEST_TUNING_CLOCK, /* "tsc" */
    NEST_TUNING_USERS, /* reference count of the KVM module */
    NEST_N_TUNINGS
} NestTuning;

typedef struct {
    NestFact facts[NEST_N_TUNINGS];
    NestFact swaps; /* value: "2 in use", of them "1 in memory" where all are compressed memory */
    NestFact meminfo; /* value: "read", then: */
    guint64 memory_kib; /* in all */
    guint64 available_kib;
    guint64 huge_pages_free;
    NestFact modules; /* value: "loaded" or "built in", of the KVM module */
    NestFact vulnerabilities; /* value: how many the kernel knows, then: */
    GStrv vulnerable; /* "l1tf: Vulnerable" */
    GStrv flaws_unknown; /* "srbds: Unknown: Dependent on hypervisor status" */
    NestFact nested_config; /* value: how many settings there are of the parameter nested, then: */
    GStrv nested_where; /* "/etc/modprobe.d/kvm.conf" */
    GStrv nested_values; /* as many */
    NestFact sched_core; /* of qemu.conf: "vcpus", "emulator", "full", "none", "" where it is not
                            set */
    NestFact own_sched_core; /* the same of NEST_HOST_OWN_QEMU_CONF */
    NestFact guests, on_shutdown; /* of libvirt-guests, as in nest-host-guests.h */
} NestHostTuning;

/* module: of KVM, nullable. Never fails. */
void nest_host_tuning_read(const char *root, const char *module, NestHostTuning *ret_tuning);

/* TRUE if the KVM module is part of the kernel, whose command line alone sets its parameters. */
gboolean nest_host_tuning_built_in(const NestHostTuning *tuning);
void nest_host_tuning_clear(NestHostTuning *tuning);
