/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"

/* What QEMU's human monitor prints of virtual CPUs, pure.
 *
 * Whether one of them has switched the extension on, by the output of "info registers -a": CR4.VMXE
 * (bit 13) or EFER.SVME (bit 12); in the other vendor's CPUs the same bit is reserved. Both are set
 * while an inner VM runs, whose registers are shown then. UNREAD where there is none, or where one
 * that seems to have it off is in system management mode, which hides it. */
NestAnswer nest_registers_switched_on(const char *text);

/* The answer to "qom-get PATH PROPERTY" about a flag: "true" or "false". */
NestAnswer nest_registers_flag(const char *text);
