/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* Exceptions, which end the program with a report, and the timer, by which an inner VM that does
 * not come back is noticed. The program runs with interrupts off; the timer makes the CPU leave
 * inner code, and trap_window() takes it. */

#define TRAP_TICKS_PER_SECOND 18

extern volatile uint32_t trap_ticks;
extern uint8_t trap_tss[104];

/* What an exception was preceded by on the stack (SDM vol. 3A, 6.14.2). */
struct trap_frame {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

void trap_open(void);
/* The address of the IDT. */
uint64_t trap_table(void);
void trap_window(void);
_Noreturn void trap_fault(const struct trap_frame *frame);
