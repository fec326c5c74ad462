/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-job.h"

/* The steps of jobs that change a definition; the job's type has reached(). */

/* Defines the intent's after_xml, provided that before_xml still is what is defined (else
 * VM_CHANGED); what reads back takes the place of after_xml. Its undo is below. */
gboolean nest_job_steps_define(NestJob *job, GError **error);

/* Defines before_xml again, unless somebody else has changed the definition since. */
gboolean nest_job_steps_define_original(NestJob *job, GError **error);

extern const NestJobStep nest_job_steps_power_off, nest_job_steps_saved_state;
