/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* The program of probe/, which runs an inner VM on the KVM of a guest, and what its report says.
 * Pure; any thread. The report's form is in probe/probe-protocol.h. */

/* The longest report that is looked at; the real one has less than 1 KiB. */
#define NEST_PROBE_REPORT_MAX (16 * 1024)

/* The program: a static ELF file for x86-64, of a few KiB. */
GBytes *nest_probe_image(void);

/* Seconds after which it ends itself by the signal SIGALRM. */
guint nest_probe_seconds(void);

/* Judges what it printed, which may be anything, of a run with seed (its argument, hexadecimal, not
 * 0). What is not whole, not plausible or not right is not verified: "incomplete", "unreadable",
 * "contradiction", as of a proof. Family, checks, and what dates the result are left out. Never
 * NULL. */
NestVerification *nest_probe_read(const char *text, gsize length, guint32 seed);

/* One that found out code without the program; the texts are copied. */
NestVerification *nest_probe_not_run(const char *code, const char *message);
