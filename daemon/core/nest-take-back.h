/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-job.h"

/* A VM that does not start after enable, because of what enable changed, gets its earlier
 * definition back, by an undo of its own with its own intent. Where a crash comes in between, the
 * VM stays enabled and not started, and the next start that fails does the same. */

/* TRUE if the failure of a start can come from what the definition changed from before to after:
 * a CPU that the host or QEMU can't give, anything else of it that is not supported, or more memory
 * than there is. Pure. */
gboolean nest_take_back_blames(const GError *failure, const char *before, const char *after);

/* Judges why the start that job is could not be done; failure is taken over. Where enable is to
 * blame, and the VM is off and has not started since, and its definition still is the one that
 * enable left, enable is undone; where nestd has changed it since, that is only told. *error is the
 * failure, which then tells of it. Blocks. */
void nest_take_back(NestJob *job, GError *failure, GError **error);
