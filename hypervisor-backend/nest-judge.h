/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* libvirt's own parser, asked about a definition that anybody may have written: in a process of
 * its own, nestd-judge, which has given up all rights before it reads it (decision 0009). It is
 * asked by libvirt's test driver, and only what that calls an XML error counts: it knows other
 * architectures and features than the hypervisor. */

/* How long nestd-judge may take. */
#define NEST_JUDGE_TIMEOUT_MS 5000

/* The program: $NESTD_JUDGE, else where it is installed. */
const char *nest_judge_program(void);

/* INVALID_REQUEST with libvirt's words where its parser refuses xml, which nest_domain_read()
 * must take. Otherwise TRUE; then, where the parser could not be asked, *ret_doubt says why, for
 * the log; NULL where it could. Blocks for timeout_ms at most; any thread. */
gboolean nest_judge_check(
    const char *program, guint timeout_ms, const char *xml, char **ret_doubt, GError **error);
