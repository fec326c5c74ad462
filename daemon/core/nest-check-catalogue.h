/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-types.h"

/* Every check there is, in the order in which they run, and every guard: array of NestCheckInfo
 * that frees its elements. */
GPtrArray *nest_check_catalogue(void);

/* What ran of one scope, put together for people: supports and checks, those that did not pass or
 * (all) every one. Takes nothing over. */
NestCheckReport *nest_check_report(
    const char *uuid, const char *name, gboolean supports, const GPtrArray *checks, gboolean all);
