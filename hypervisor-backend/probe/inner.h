/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* Code that runs in the inner VM, and the same code in the VM itself for comparison. It is copied
 * into the inner VM, so it needs nothing but itself. */

enum inner_task {
    INNER_SPIN, /* count rounds of xorshift from seed */
    INNER_TOUCH, /* writes to count pages */
    INNER_MEMORY, /* reads and writes count bytes */
    INNER_CPUID, /* count times */
    INNER_OUT /* count writes to INNER_PORT; in the inner VM only */
};

struct inner_work {
    uint64_t task; /* enum inner_task */
    uint64_t count;
    uint64_t seed;
    uint64_t memory; /* address of what is touched, read and written */
    uint64_t result;
};

#define INNER_PORT 0x80 /* one of many exits */
#define INNER_END_PORT 0x81 /* the work is done; more begins behind it */
#define INNER_PAGE 4096

void inner_run(struct inner_work *work);

/* Runs work (address in RDI) for ever, with an exit to INNER_END_PORT after each. */
extern const uint8_t inner_loop[];
/* 16-bit code at its own start: EBX seed, ECX rounds; leaves EAX with the answer, to INNER_PORT. */
extern const uint8_t inner_real[], inner_real_end[];

/* All of the above but inner_real, as the linker laid it out. */
extern const uint8_t __start_inner_code[], __stop_inner_code[];
