/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-snapshot.h"

/* What is asked of a new VM, judged before anything is made. */

/* Checks spec against its bounds and the host, and settles what it leaves open: accel AUTO becomes
 * KVM where the host's KVM is backed by hardware, else TCG; vcpus 0 becomes 1; no network becomes
 * "user". Looks at the files that spec names. */
gboolean nest_new_vm_check(NestVmSpec *spec, const NestHostSnapshot *host, GError **error);

/* What nesting uses in such a VM. spec must have been checked. */
NestExtension nest_new_vm_extension(const NestVmSpec *spec, const NestHostSnapshot *host);
