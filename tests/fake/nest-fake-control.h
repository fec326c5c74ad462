/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"

/* What the fake hypervisor is told to do wrong: a text file, re-read whenever it has changed. One
 * rule a line, # begins a comment:
 *
 *   SLOT:NTH:KIND[:MESSAGE]      the call fails with that error, before any effect
 *   SLOT:NTH:after[:MESSAGE]     the call takes effect, then fails with HYPERVISOR
 *   SLOT:NTH:hang                the call blocks until no rule says so any more
 *   crash-before:SLOT:NTH        the process is killed with SIGKILL, before any effect …
 *   crash-after:SLOT:NTH         … or right after it
 *   delay:SLOT:NTH:MS            the call takes that much longer
 *   tamper:SLOT:NTH[:OLD=>NEW]   after the call the stored XML differs: OLD became NEW; unless
 *                                given, the check attribute of <cpu> is gone
 *   set:KEY:VALUE                shutdown-ms:MS (20; or "never"), caps:CAPS, sample@NAME:WORDS,
 *                                balloon:deaf (the guest has no driver for it), reboot:never
 *
 * SLOT is a name in NestBackendOps or NestHostHandsOps, with @NAME or @UUID for calls that concern
 * one VM only. NTH is N, N+ (from the Nth on) or *; calls are counted per SLOT as written, from 1.
 * KIND is a kind or its code, "vm-busy" or "VM_BUSY". Of several rules for one call the first of
 * each sort counts. A line that can't be understood aborts the process: a fault that never comes
 * proves nothing.
 *
 * The WORDS of a sample are separated by commas (nest-fake-sample.h).
 *
 * Every call leaves "> NUMBER SLOT UUID" and "< NUMBER SLOT UUID ok|KIND" in the calls file, and
 * "! RULE" for each rule that struck. */
typedef struct NestFakeControl NestFakeControl;

typedef struct {
    gboolean crash_before;
    gboolean crash_after;
    gboolean fail_before;
    gboolean fail_after;
    NestErrorCode code;
    char *message;
    guint delay_ms;
    gboolean hang;
    char *tamper; /* "OLD=>NEW", NULL for none */
    guint number; /* of this call, for nest_fake_control_ended */
    guint nth, nth_of_uuid, nth_of_name; /* call of its slot: of all, and of those to its VM */
} NestFakeVerdict;

void nest_fake_verdict_clear(NestFakeVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NestFakeVerdict, nest_fake_verdict_clear)

/* Either file may be absent; calls NULL: nothing is recorded. count_all: counting goes on where
 * the calls file of earlier processes ends. */
NestFakeControl *nest_fake_control_new(const char *control, const char *calls, gboolean count_all);
void nest_fake_control_free(NestFakeControl *control);

/* Counts the call and says what shall become of it. uuid and name may be NULL. Any thread. */
void nest_fake_control_begin(NestFakeControl *control, const char *slot, const char *uuid,
    const char *name, NestFakeVerdict *ret_verdict);
void nest_fake_control_ended(NestFakeControl *control, const NestFakeVerdict *verdict,
    const char *slot, const char *uuid, const GError *error);

/* TRUE while a rule still says that the call hangs that verdict is about. */
gboolean nest_fake_control_hangs(NestFakeControl *control, const NestFakeVerdict *verdict,
    const char *slot, const char *uuid, const char *name);

/* The value of a set: line, NULL where there is none. */
char *nest_fake_control_setting(NestFakeControl *control, const char *key);
