/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"

/* What is said to QEMU's monitor (QMP) to keep the disks of a VM that runs; pure. */

/* The question for the disks. */
extern const char *const nest_qmp_disks_ask;

/* The command that keeps all disks that answer names and that can be written to, at one moment, as
 * name (as nest-name.h has them) within their images. VM_UNFIT where one can't keep it, or there is
 * none; HYPERVISOR where answer is no answer to the question. */
char *nest_qmp_disks_keep(const char *answer, const char *name, GError **error);

/* TRUE if answer says that a command was carried out; HYPERVISOR with QEMU's words otherwise. */
gboolean nest_qmp_disks_done(const char *answer, GError **error);
