/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* What the program that runs in the proof VM and who reads its report agree upon.
 *
 * The report comes over the serial port COM1, in lines of at most PROOF_LINE_MAX bytes:
 *   nest-proof 1 WORD KEY=VALUE…
 * A value has no white space. Unknown words and keys are to be skipped. The words, in their order:
 *   begin         seed=
 *   cpu           vendor= extension=vmx|svm|none hypervisor= family= model= stepping=
 *   lock          register= value= locked=0|1
 *   capabilities  extension= present=A,B,… absent=C,D,…
 *   clock         tsc-khz=           (0: could not be measured)
 *   pass          name= result=ok|absent|CODE answer= exits=
 *   exit          pass= kind= count= min= median=      cycles of the TSC for one exit and entry
 *   end           code=CODE lines= [pass= reason= expected= info= name= field= error= …]
 * lines= counts all lines, that one included: a report that lost some proves nothing. The command
 * line may have seed=HEX (not 0), ticks=N (the limit of each pass, of 55 ms each), and try=WORD,
 * which makes the program show a failure on purpose. */
#define PROOF_VERSION 1
#define PROOF_PREFIX "nest-proof 1 "
#define PROOF_LINE_MAX 1000

/* The codes: name, word of the report, what it means. */
#define PROOF_CODES(X) \
    X(PROVED, "proved", "inner code ran, and every exit came back as it should") \
    X(NO_LONG_MODE, "no-long-mode", "the CPU has no 64-bit mode") \
    X(NOT_SUPPORTED, "not-supported", "the CPU of the VM offers neither VT-x nor AMD-V") \
    X(LOCKED, "locked", "firmware has switched the extension off") \
    X(NO_CONTROL, "no-control", "the CPU lacks a control that every hypervisor needs") \
    X(VM_FAIL, "vm-fail", "an instruction of the extension failed") \
    X(ENTRY_FAILED, "entry-failed", "the CPU refused the state of the inner VM") \
    X(WRONG_EXIT, "wrong-exit", "inner code came back for another reason than it should") \
    X(WRONG_ANSWER, "wrong-answer", "inner code computed something wrong") \
    X(TIMEOUT, "timeout", "inner code did not come back in time") \
    X(FAULT, "fault", "the CPU raised an exception outside of the inner VM")

typedef enum {
#define PROOF_CODE_NAME(name, word, meaning) PROOF_##name,
    PROOF_CODES(PROOF_CODE_NAME)
#undef PROOF_CODE_NAME
        PROOF_N_CODES
} ProofCode;

#define PROOF_ROUNDS 4096

/* What inner code computes from the seed: Marsaglia's xorshift, many times. */
static inline uint32_t proof_answer(uint32_t seed)
{
    uint32_t x = seed;
    for (uint32_t i = 0; i < PROOF_ROUNDS; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    return x;
}
