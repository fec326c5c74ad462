/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Runs the same nestctl command on host, over ssh, in place of this process: its terminal, signals
 * and exit status are ssh's. words are those of this process; color: what to tell the other side.
 * Returns only if ssh can't be run. */
void nest_remote_run(const char *host, GStrv words, gboolean color, GError **error);

/* The words to run, without the --host that led here. Pure. */
char **nest_remote_command(const char *host, GStrv words, gboolean terminal, gboolean color);
