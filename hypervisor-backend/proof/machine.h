/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* The board around the CPU. */

/* How fast the TSC counts, against the board's timer; 0 if that does not count. */
uint32_t machine_tsc_khz(void);

/* Ends the VM: by QEMU's device for that, or ACPI, or else a reset. */
_Noreturn void machine_off(void);
