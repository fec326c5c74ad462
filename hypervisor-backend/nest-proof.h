/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* The program of proof/, which runs inner code in a VM, and what its report says. Pure; any
 * thread. The report's form is in proof/proof-protocol.h. */

/* The longest report that is looked at; the real one has about 3 KiB. */
#define NEST_PROOF_REPORT_MAX (64 * 1024)

/* The flat multiboot image to boot as a VM's kernel. */
GBytes *nest_proof_image(void);

/* Its command line. The inner code computes something of seed, which must not be 0, so that a
 * report can't be that of another run. Free with g_free(). */
char *nest_proof_command_line(guint32 seed);

/* What the last line of a report begins with. */
const char *nest_proof_end(void);

/* Judges what came over the serial port, which may be anything, of a run with seed. Whatever is
 * not whole, not plausible or not right is not proved, with the code "incomplete" (the end did not
 * come, or lines of it are missing), "unreadable" (a line that says something impossible), or
 * "contradiction" (it claims a success that its own lines do not bear out). Never NULL. */
NestProof *nest_proof_read(const char *text, gsize length, guint32 seed);
