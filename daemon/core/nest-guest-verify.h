/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-guest-facts.h"

/* Whether an inner VM runs inside a VM: in Linux a program runs one on KVM, Windows is asked about
 * its own hypervisor. Blocks for a minute at most.
 *
 * Not verified is a result, too; NULL where the question could not be put, or whose answer was not
 * heard: VM_UNFIT where the agent may run no commands, UNSUPPORTED where the guest is neither Linux
 * on x86-64 nor Windows, TIMEOUT, ABORTED, else as the agent of NestBackendOps. ret_facts: what is
 * inside. checks and what dates the result are left out. */
NestVerification *nest_guest_verify(NestBackend *backend, const char *uuid,
    GCancellable *cancellable, NestGuestFacts **ret_facts, GError **error);

/* What Windows' word of itself comes to. Pure. */
NestVerification *nest_guest_verify_windows(const NestGuestFacts *facts);
