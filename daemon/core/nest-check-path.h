/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-check.h"

/* Checks of the way that frames of inner VMs take: a rule judges one interface, and the check says
 * the worst of what it said. The hops, in their order: the interface in the VM, its network filter,
 * its port of the bridge, the bridge, the uplink, and what is outside of the host. */

/* Says a verdict and what was read; NOT_APPLICABLE where the hop is not on the way of path. */
typedef void (*NestPathRule)(const NestVmView *view, const NestNetPath *path, NestCheck *check);

/* NOT_APPLICABLE without an interface. */
void nest_check_paths(const NestVmView *view, NestCheck *check, NestPathRule rule);

/* TRUE if path is that of a VM that runs, on a host that was looked at; else NOT_APPLICABLE is
 * said: what concerns the devices of the host shows while it runs. */
gboolean nest_check_runs(const NestVmView *view, const NestNetPath *path, NestCheck *check);

/* FALSE, and UNKNOWN is said, where the network of path could not be read, so that the kind of its
 * way is not known. TRUE on a host that was not looked at: nest_check_runs() is for that. */
gboolean nest_check_way_known(const NestVmView *view, const NestNetPath *path, NestCheck *check);

/* Why the network of path could not be read, a part of a sentence. */
const char *nest_check_network_why(const NestVmView *view);

/* ", which is free here": how sure that is of what nest_vm_net_pick() found. */
const char *nest_check_free_text(const NestVmView *view);

/* "use 192.168.157.0/24 inside, which is free here", and what to say where none can be told. */
char *nest_check_nat_text(const NestVmView *view);
