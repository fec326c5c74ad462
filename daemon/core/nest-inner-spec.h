/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-record.h"

/* What is asked of a new inner VM, judged before the guest is asked for anything. Pure. */

/* memory_kib: of the VM that it is to be in. INVALID_REQUEST; VM_UNFIT where it can't fit. Whether
 * files are there only the guest knows. */
gboolean nest_inner_spec_check(const NestInnerSpec *spec, guint64 memory_kib, GError **error);

/* Sentences: what there is too little of with it beside those of all. memory_kib and vcpus: of the
 * VM. */
GStrv nest_inner_spec_warn(
    const NestInnerSpec *spec, const NestTreeSum *all, guint64 memory_kib, guint vcpus);
