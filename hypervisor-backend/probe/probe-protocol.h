/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* What the program that is run inside a VM and who reads its report agree upon.
 *
 * Its argument is a seed, hexadecimal and not 0. The report goes to standard output, in lines of at
 * most PROBE_LINE_MAX bytes:
 *   nest-probe 1 WORD KEY=VALUE…
 * A value has no white space. Unknown words and keys are to be skipped. The words, in their order:
 *   begin     seed=
 *   cpu       vendor= extension=vmx|svm|none hypervisor=
 *   pass      name=real|long result=ok|CODE answer=
 *   measure   name= count= own-ns= inner-ns=
 *   clock     tsc-khz=
 *   end       code=CODE lines= [call= errno= reason=]
 * own-ns= and inner-ns= are what count= of them took in the VM itself (0: it has none of that kind)
 * and in an inner VM, the medians of several runs. lines= counts all lines, that one included: a
 * report that lost some proves nothing.
 *
 * What is measured: exit-cpuid, an exit that the VM's kernel answers; exit-io, one that the program
 * answers; cpu, rounds of xorshift; fault, first writes to a page; memory, bytes read and written.
 */
#define PROBE_PREFIX "nest-probe 1 "
#define PROBE_LINE_MAX 500

/* Seconds after which the program is ended by SIGALRM. */
#define PROBE_SECONDS 15

/* The codes: name, word of the report, what it means. */
#define PROBE_CODES(X) \
    X(VERIFIED, "verified", "an inner VM ran on KVM in the guest") \
    X(NO_DEVICE, "no-device", "the guest has no /dev/kvm") \
    X(NO_ACCESS, "no-access", "the guest's /dev/kvm may not be opened") \
    X(NO_API, "no-api", "the guest's /dev/kvm does not speak as KVM does") \
    X(BUSY, "busy", "another hypervisor in the guest holds the extension") \
    X(CALL_FAILED, "call-failed", "the guest's KVM refused what every hypervisor asks of it") \
    X(ENTRY_FAILED, "entry-failed", "the guest's CPU refused the state of the inner VM") \
    X(WRONG_EXIT, "wrong-exit", "inner code came back for another reason than it should") \
    X(WRONG_ANSWER, "wrong-answer", "inner code computed something wrong")

typedef enum {
#define PROBE_CODE_NAME(name, word, meaning) PROBE_##name,
    PROBE_CODES(PROBE_CODE_NAME)
#undef PROBE_CODE_NAME
        PROBE_N_CODES
} ProbeCode;

#define PROBE_ROUNDS 4096

/* One round of Marsaglia's xorshift. */
static inline uint32_t probe_round(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}
