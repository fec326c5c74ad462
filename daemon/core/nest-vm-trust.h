/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-view.h"

/* What nesting lets a VM reach that a VM must be trusted with. Pure. */

/* TRUE if the VM is labelled untrusted, or is by default. */
gboolean nest_vm_trust_is_missing(const NestVmView *view);

/* What of the host is open to the VM where it nests: "CVE-2026-53359, CVE-2026-64561", for a CPU
 * the name that the kernel gives its flaw, "mds". NULL: nothing that is known. A VM of class TCG
 * reaches nothing: its CPU is a program. */
char *nest_vm_trust_open(const NestVmView *view);

/* The same of what may have been mended, and nothing proves it, "flaws of the CPU" where they could
 * not be read. */
char *nest_vm_trust_unproved(const NestVmView *view);

/* An error where the VM is untrusted and something is open: what lets it nest is refused. */
gboolean nest_vm_trust_refuses(const NestVmView *view, GError **error);
