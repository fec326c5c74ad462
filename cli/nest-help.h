/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-commands.h"

void nest_help_overview(NestOutput *output);
void nest_help_command(NestOutput *output, const NestCommand *command);

/* The commands that begin with word; FALSE, and nothing is printed, where word is a command itself
 * or none begins with it. */
gboolean nest_help_group(NestOutput *output, const char *word);

/* For programs: one line for each command, its fields parted by semicolons:
 * verb;operands;options;summary. The line with the verb "-" has the global options. */
void nest_help_commands(NestOutput *output);

/* How an error ends nestctl for those who look: on stderr, and as JSON if that was asked for. */
void nest_help_error(NestOutput *output, const GError *error);
