/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guest-facts.h"
#include "nest-plan.h"

/* The checks: one const table for the host, one for VMs (with their network). Each row has id,
 * title and a pure function from facts to a verdict with what was read and what to do. */

/* Facts about the host, backend included; caps NULL while the backend is not open. */
typedef struct {
    const NestHostFacts *host;
    const NestBackendCaps *caps;
    const NestAdvice *advice; /* NULL: nothing is known of the kernel */
    gboolean untrusted; /* there are VMs that are not trusted, or new ones are not */
    const NestPolicy *policy; /* NULL: none */
    const char *today; /* "2027-01-31", for the policy */
} NestHostView;

/* Runs every host check and fills the whole NestHost. The verdict `supports` is about VMs of class
 * KVM: the host nests, no check failed and none that the verdict needs is unknown. tcg_supports is
 * about those of class TCG, which a host without any extension may nest all the same. */
NestHost *nest_checks_host(const NestHostView *view);

/* Runs every VM check and fills the whole NestVm, revision included; operation stays 0. The verdict
 * `supports`: no check failed and none that it needs (vm.host, vm.exposed) is unknown. A VM of
 * class TCG is judged by its own class. */
NestVm *nest_checks_vm(const NestVmView *view);

/* Runs every check of what is inside the guest of a VM that was judged: array of NestCheck that
 * frees its elements. facts NULL: the guest was not asked, and none applies. policy: NULL for none,
 * as it is on the day today. */
GPtrArray *nest_checks_guest(
    const NestVm *vm, const NestGuestFacts *facts, const NestPolicy *policy, const char *today);

/* It runs and has a channel for the guest agent: it can be asked. */
gboolean nest_checks_guest_is_open(const NestVm *vm);

/* failed and warnings count the checks of vm; unknown counts as a warning. */
NestVmSummary *nest_vm_summarize(const NestVm *vm);
