/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guard.h"

/* What nestd notes of a state that it saves, so that it can tell later whether that still runs
 * here. Pure. */

/* JSON: of the VM as it runs right now, and of its host. */
char *nest_saved_note(const NestVmView *view);

/* The same note, of the file that was written at time (NestVmFacts.saved_time). NULL gives NULL, as
 * does what can't be read. */
char *nest_saved_note_at(const char *note, gint64 time);

/* Whether the saved state of view may be resumed. The note in its marks counts only for the very
 * file that it was made for: what else is there was saved by somebody else, and only the definition
 * in it is known. */
NestGuardVerdict *nest_saved_judge(const NestVmView *view, NestParity parity);
