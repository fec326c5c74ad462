/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* The verdicts of checks in brief, to see what changed between two readings. Pure. */

/* One letter a check, in their order: p pass, i info, - not applicable, u unknown, w warn, f fail,
 * x ignored. */
char *nest_verdicts_letters(const GPtrArray *checks);

/* The letters of old, put in the order of checks; a blank where old does not have one. */
char *nest_verdicts_align(const GPtrArray *old, const GPtrArray *checks);

/* The places at which a person wants to know: of two different verdicts one at least is of concern
 * (unknown, warn, fail), and neither is ignored or was not there. Array of guint. */
GArray *nest_verdicts_changes(const char *before, const char *after);

/* "DemoVM: vm.host went from pass to fail: MESSAGE"; name may be NULL. before: a letter. */
NestEvent *nest_verdicts_event(
    const char *uuid, const char *name, char before, const NestCheck *check);

/* "id letter" a line, and back: letters in the order of checks, blanks where there is no line. */
char *nest_verdicts_to_text(const GPtrArray *checks, const char *letters);
char *nest_verdicts_from_text(const char *text, const GPtrArray *checks);
