/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "extension.h"
#include "report.h"
#include "trap.h"
#include "x86.h"

/* Access rights: present, S, and type 11 (code) or 3 (data), both accessed; then L, or D and G. */
#define RIGHTS_CODE64 0xa09b
#define RIGHTS_DATA 0xc093
#define RIGHTS_REAL_CODE 0x9b
#define RIGHTS_REAL_DATA 0x93
#define RIGHTS_TSS_BUSY 0x8b

void extension_segments(enum pass pass, struct segment segments[N_SEGMENTS])
{
    bool real = pass == PASS_REAL;
    for (unsigned i = ES; i <= GS; i++) {
        segments[i] = real ? (struct segment){0, 0xffff, RIGHTS_REAL_DATA, 0}
                           : (struct segment){START_DATA, 0xffffffff, RIGHTS_DATA, 0};
    }
    segments[CS] = real
        ? (struct segment){REAL_MODE_BASE >> 4, 0xffff, RIGHTS_REAL_CODE, REAL_MODE_BASE}
        : (struct segment){START_CODE, 0xffffffff, RIGHTS_CODE64, 0};
    segments[LDTR] = (struct segment){0, 0, SEGMENT_UNUSABLE, 0};
    segments[TR] =
        (struct segment){START_TSS, sizeof trap_tss - 1, RIGHTS_TSS_BUSY, x86_physical(trap_tss)};
}

void extension_report_list(
    const char *key, bool wanted, unsigned n, const char *(*name)(unsigned), bool (*has)(unsigned))
{
    report_word(key, "");
    bool first = true;
    for (unsigned i = 0; i < n; i++) {
        if (has(i) != wanted)
            continue;
        report_text(first ? "" : ",");
        report_text(name(i));
        first = false;
    }
}
