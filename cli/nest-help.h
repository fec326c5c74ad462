/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-commands.h"

void nest_help_overview(NestOutput *output);
void nest_help_command(NestOutput *output, const NestCommand *command);

/* How an error ends nestctl for those who look: on stderr, and as JSON if that was asked for. */
void nest_help_error(NestOutput *output, const GError *error);
