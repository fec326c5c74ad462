/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-net.h"

/* What an interface by its definition does to frames of inner VMs, and enable takes out: a filter
 * on MAC addresses, an isolated port. Named as the items of the plan are (nest-plan.h). Pure. */

/* What no interface has for sure: "mac-spoofing port-isolation"; NULL: nothing is sure. */
char *nest_barrier_open(const NestVmNet *net);

/* What is lost with the filters that block, "; protection against …": rules of their own, and that
 * they stop foreign IP addresses. Empty where nothing is. */
char *nest_barrier_loss(const NestVmNet *net);

/* What of open (nullable) some interface has again, each with the interface, for people; NULL:
 * nothing. An interface goes by its MAC address, whether it runs or not. */
char *nest_barrier_back(const NestVmNet *net, const char *open);
