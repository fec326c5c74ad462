/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-probe.h"

/* Tries dev/kvm below root: opens it, asks its API version and creates a VM (which is closed at
 * once). Where it is a regular file it is the record of such a try: a key file with a group [kvm]
 * and the keys api-version, vm-created, error, and one for each capability: nested-state,
 * enlightened-vmcs, exception-payload, binary-stats; access where it is known. Fills ret_kvm. */
void nest_kvm_try(const char *root, NestKvmFacts *ret_kvm);

/* KVM_API_VERSION: has been 12 since Linux 2.6.22, and always will be (api.rst 4.1). */
#define NEST_KVM_API_VERSION 12
