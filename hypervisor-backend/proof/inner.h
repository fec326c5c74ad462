/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "options.h"
#include <stdbool.h>
#include <stdint.h>

/* The program that runs in the inner VM, in 64-bit mode with the tables of the outer one (in the
 * pass "real-mode" it is start.S's instead), and the memory by which the two speak. */

enum exit_kind {
    EXIT_CPUID,
    EXIT_IO,
    EXIT_HLT,
    EXIT_PAGE_FAULT,
    EXIT_NESTED_FAULT, /* EPT violation, or nested page fault */
    EXIT_N_MEASURED,
    EXIT_TICK = EXIT_N_MEASURED,
    EXIT_OTHER,
    EXIT_NONE,
};

#define INNER_SAMPLES 64
#define INNER_PORT 0x80 /* written to come back … */
#define INNER_PORT_END 0xed /* … and to say that all is done */

/* Mapped nowhere; and mapped by the inner VM's tables, but not by the second level. */
#define INNER_UNMAPPED 0x40000000u
#define INNER_UNBACKED 0x3fe00000u

struct inner_box {
    uint32_t seed, answer;
    enum try try;
    bool second_level; /* there is one, and so there are nested faults */
    enum exit_kind expected; /* the next exit must be of this kind … */
    uint64_t resume; /* … and inner code goes on here */
    uint64_t samples[EXIT_N_MEASURED][INNER_SAMPLES];
};

extern volatile struct inner_box inner_box;

_Noreturn void inner_main(void);
uint64_t inner_stack(void);
