/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-planning.h"

/* Taking back what a job changed on the host, pure. values: what each setting of done is now, in
 * its order (nullable elements). done NULL: there is no such revision; wanted: the one that was
 * asked for, 0 for the newest. Files are refused if they are not as the job left them; the module
 * and the device, which a boot sets anew, are left alone then. */
NestPlan *nest_host_undo_plan(NestHostPlanning *planning, const NestHostChange *done,
    const GPtrArray *values, gint64 wanted, NestHostChange **ret_change);
