/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-arguments.h"
#include "nest-client.h"
#include "nest-output.h"

/* What a command works with. */
typedef struct {
    NestArguments *arguments;
    NestOutput *output;
    NestClient *client;
    GCancellable *cancellable; /* fires at Ctrl-C; NULL where Ctrl-C just ends nestctl */
    int status; /* what to exit with where nothing failed */
    gboolean interrupted; /* Ctrl-C is why it ended */
    gboolean unread; /* that nobody reads its output any more is */
} NestCli;

/* Prints the last answer where JSON is asked for. TRUE if so. */
gboolean nest_cli_answer(NestCli *cli);
