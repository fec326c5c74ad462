/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard.h"
#include "nest-job.h"

/* For prepare functions: may this be done to the VM as job->reading has it? What is to be warned of
 * is noted in the operation; what is refused may be overridden by the request, which the intent
 * then says. */
gboolean nest_job_guard(NestJob *job, NestGuarded operation, GError **error);

/* The same for a verdict that was reached otherwise. */
gboolean nest_job_guard_verdict(NestJob *job, const NestGuardVerdict *verdict, GError **error);

/* Whether request may override guards at all: with a reason of 1 to 200 printable characters and
 * the right ADMIN. INVALID_REQUEST, FORBIDDEN. */
gboolean nest_job_guard_check_force(const NestRequest *request, NestRight right, GError **error);
