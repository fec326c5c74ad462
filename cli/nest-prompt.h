/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-cli.h"

/* Asks on the terminal and returns the answer without spaces around it; bounded in length. End of
 * input and Ctrl-C are DECLINED. Where there is no terminal to ask on: USAGE, naming --yes. */
char *nest_prompt_ask(NestCli *cli, const char *question, GError **error);

/* What an answer means: pure. Numbers count from 1 and are from 1 to n. */
typedef enum { NEST_ANSWER_YES, NEST_ANSWER_NO, NEST_ANSWER_NUMBERS, NEST_ANSWER_OTHER } NestAnswer;

/* *ret_numbers, an array of guint, is set with NUMBERS only. */
NestAnswer nest_prompt_parse(const char *text, guint n, GArray **ret_numbers);

/* Asks question until the answer is yes or no. FALSE: DECLINED where it is no, and as
 * nest_prompt_ask. */
gboolean nest_prompt_confirm(NestCli *cli, const char *question, GError **error);
