/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-vm-view.h"

/* Judging a definition for a host elsewhere. Puts a host into view that has extension (VMX or SVM)
 * and lets KVM VMs use it, and of which nothing else is known; it is static. What TCG can do is as
 * it is here: the software CPU is the same everywhere. */
void nest_other_host_move(NestVmView *view, NestExtension extension);
