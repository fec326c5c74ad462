/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-plan.h"

/* The checks: one const table for the host, one for VMs (with their network). Each row has id,
 * title and a pure function from facts to a verdict with what was read and what to do. */

/* Facts about the host, backend included; caps NULL while the backend is not open. */
typedef struct {
    const NestHostFacts *host;
    const NestBackendCaps *caps;
} NestHostView;

/* Runs every host check and fills the whole NestHost, verdict included. */
NestHost *nest_checks_host(const NestHostView *view);

/* Runs every VM check and fills the whole NestVm, verdict and revision included. */
NestVm *nest_checks_vm(const NestVmView *view);

NestVmSummary *nest_vm_summarize(const NestVm *vm);
