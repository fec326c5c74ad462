/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-output.h"
#include "nest-types.h"

typedef enum {
    NEST_CHECKS_PROBLEMS, /* those that failed, warned or could not be read */
    NEST_CHECKS_ALL, /* those that do not apply for the same reason in one line */
    NEST_CHECKS_ALL_READ /* with what was read */
} NestChecksShown;

/* The checks, one a line with its mark, and below those that did not pass what to do. */
void nest_check_view_print(NestOutput *output, const GPtrArray *checks, NestChecksShown shown);

/* "ok", "ok, 1 warning", "2 failed". */
char *nest_check_view_count(guint failed, guint warnings);
NestStyle nest_check_view_style(guint failed, guint warnings);
