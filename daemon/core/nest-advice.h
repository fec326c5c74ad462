/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-advisories.h"
#include "nest-host-probe.h"

/* What the advisories say of the kernel that runs. Immutable. */

typedef struct {
    const NestAdvisory *advisory;
    NestAdviceState state;
    char *reason; /* what decided: a clause */
} NestJudgement;

typedef struct {
    NestAdvisories *advisories;
    NestHostKernel *kernel;
    GPtrArray *judgements; /* NestJudgement, one for each entry, in their order */
    char *key; /* equal where all is judged alike */
} NestAdvice;

/* vendor: of the CPU, NONE where unknown. */
NestAdvice *nest_advice_new(
    NestAdvisories *advisories, NestHostKernel *kernel, NestExtension vendor);
void nest_advice_free(NestAdvice *advice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestAdvice, nest_advice_free)

/* Whose CPU the host has, whether its extension is there or not. */
NestExtension nest_advice_vendor(const NestHostFacts *host);

/* Judgements of that state and check (nullable: of any), or of flaws that an untrusted VM must not
 * meet: array of NestJudgement that owns nothing. */
GPtrArray *nest_advice_of_check(const NestAdvice *advice, const char *check, NestAdviceState state);
GPtrArray *nest_advice_refusing(const NestAdvice *advice, NestAdviceState state);

/* Their ids: "CVE-2026-53359, CVE-2026-46113". */
char *nest_advice_ids(const GPtrArray *judgements);
