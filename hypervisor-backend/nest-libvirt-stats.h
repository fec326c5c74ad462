/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include <libvirt/libvirt.h>

/* Reads what libvirt says of a running domain (statistics of the groups STATE and VCPU) into
 * sample: all but uuid, time, run, and what the monitor tells. FALSE where it does not run. The
 * names are libvirt's for KVM's own (vcpu.N.nested_run.sum, vcpu.N.guest_mode.cur), which are no
 * stable interface: what is not there, or of another type, counts as not read. */
gboolean nest_libvirt_stats_read(virTypedParameterPtr params, int n, NestVmSample *sample);
