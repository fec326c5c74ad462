/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* Failures that try= shows on purpose, so that each can be seen to be noticed. */
enum try {
    TRY_NOTHING,
    TRY_SPIN, /* inner code never comes back */
    TRY_WRONG, /* inner code computes something else */
    TRY_CRASH, /* inner code runs into an exception that nobody takes */
    TRY_STATE, /* the state of the inner VM is none that a CPU accepts */
    TRY_FAIL, /* an instruction of the extension fails: VT-x only, AMD-V has no such */
    TRY_WRITE, /* a field of the VMCS can't be written: VT-x only, too */
    TRY_FAULT, /* the outer program does */
};

struct options {
    uint32_t seed, ticks;
    enum try try;
};

struct options options_read(void);
