/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-fake-call.h"

/* What running VMs do with their extension: the slot "sample". Unless the control
 * file says otherwise, KVM's statistics of a VM of class KVM are there and say that it never ran an
 * inner VM, and there are none of a VM of class TCG; its registers say that the extension is
 * exposed and off. WORDS of the line "set:sample@NAME:WORDS", separated by commas:
 *
 *   run=N          the number of the run (1)        grow=N   nested_run grows by that per look
 *   nested_run=N   the counter (0)                  guest    a CPU is in an inner VM
 *   none           no statistics                    carried  it was restored or migrated
 *   resumed        it was paused once               paused   its CPUs do not run
 *   armed          registers: switched on           hidden   registers: no extension
 *   silent         its monitor does not answer */
gboolean nest_fake_sample(
    NestBackend *self, const char *uuid, gboolean monitor, GPtrArray **ret_samples, GError **error);
