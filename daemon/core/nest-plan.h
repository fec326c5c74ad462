/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-domain-xml.h"
#include "nest-host-probe.h"
#include "nest-types.h"

#define NEST_MEMORY_WANTED_KIB (4ull * 1024 * 1024)

/* Everything that judging a VM needs; borrowed. caps and host may be NULL where unknown. */
typedef struct {
    const NestVmFacts *facts;
    const NestDomain *domain; /* of facts->xml */
    const NestDomain *live; /* of facts->live_xml, NULL where nothing runs */
    const NestHostFacts *host;
    const NestBackendCaps *caps;
} NestVmView;

/* The extension that nesting in this VM would use: svm under TCG, else what the host's CPU has. */
NestExtension nest_vm_view_extension(const NestVmView *view);

/* The plan to switch nesting on or off, pure. decline: ids of optional items to leave out
 * (unknown or non-optional ids refuse the plan). The hash covers the facts and the steps. */
NestPlan *nest_plan_make(const NestVmView *view, gboolean enable, const char *const *decline);

/* What the plan makes of the definition. */
NestDomainWish nest_plan_wish(const NestPlan *plan, NestExtension extension);

const NestPlanItem *nest_plan_item(const NestPlan *plan, const char *id);
