/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-fake-call.h"

/* What running VMs do with their extension: the slot "sample". Unless the control file says
 * otherwise there are no statistics, as with an older libvirt, and the registers say that the
 * extension is exposed and off. WORDS of the line "set:sample@NAME:WORDS", separated by commas:
 *
 *   counted        KVM's statistics are there, as with the next three
 *   nested_run=N   the counter (0)                  run=N    the number of the run (1)
 *   grow=N         it grows by that per look        resumed  it was paused once
 *   guest          a CPU is in an inner VM          paused   its CPUs do not run
 *   carried        it was restored or migrated      armed    registers: switched on
 *   silent         its monitor does not answer      hidden   registers: no extension */
gboolean nest_fake_sample(
    NestBackend *self, const char *uuid, gboolean monitor, GPtrArray **ret_samples, GError **error);
