/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-guest-facts.h"
#include <gio/gio.h>

/* The scripts that are run in a guest to look at it, and what they say. Pure; any thread.
 *
 * What they say was written in the guest: it is read strictly, a field that there is not or a value
 * that can't be is GUEST_AGENT, and a text is cut. */

/* The most that is looked at, in bytes. */
#define NEST_GUEST_ANSWERS_MAX (64 * 1024)

/* For /bin/sh -c. */
const char *nest_guest_answers_script_linux(void);
/* The same, for the program that verifies nesting on its standard input; two arguments. */
const char *nest_guest_answers_script_probe(void);
/* For powershell -EncodedCommand; free with g_free(). */
char *nest_guest_answers_script_windows(void);

/* Adds to facts; on FALSE they may have some of it. */
gboolean nest_guest_answers_read_linux(
    const char *text, gsize length, NestGuestFacts *facts, GError **error);
gboolean nest_guest_answers_read_windows(
    const char *text, gsize length, NestGuestFacts *facts, GError **error);
