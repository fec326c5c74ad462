/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <glib.h>

/* Files of assignments that a shell reads, as in /etc/default. */

/* A line (without its end) that sets name: its value without quotes, else NULL. */
char *nest_shell_file_value(const char *line, const char *name);

/* text with name set to value, which needs no quotes: in the line that sets it last, else in a line
 * added at the end. Everything else, comments and ends of lines included, stays byte for byte. */
char *nest_shell_file_set(const char *text, const char *name, const char *value);
