/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-cli.h"

/* Follows an operation with its steps and the time they take, and tells how it ended: with the
 * line done, or with what failed, why, and what was taken back. Ctrl-C asks to abort and waits.
 * With --no-wait it only says that the operation has begun. The error is that of the operation. */
gboolean nest_progress_follow(
    NestCli *cli, const NestOperation *operation, const char *done, GError **error);

/* The steps as they are. */
void nest_progress_print_steps(NestOutput *output, const NestOperation *operation);
