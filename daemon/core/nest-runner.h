/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-job.h"

/* Carries out a job whose intent is committed, records how it ended, and reports every change.
 * The operation's state, steps, note and problem tell the outcome. Blocks; for workers. */
void nest_runner_run(NestJob *job);

/* Ends an operation that a crash interrupted, by what the hypervisor really has. FALSE: that is not
 * there (BACKEND_UNAVAILABLE), and nothing was decided; to be called again once it is. */
gboolean nest_runner_recover(NestJob *job, NestHostSnapshot *host, GError **error);
