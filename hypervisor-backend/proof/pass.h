/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "extension.h"

/* One inner VM from its beginning to its end, and what it is told to do. */

struct pass_result {
    ProofCode code;
    struct detail detail;
    struct exit exit; /* the last */
    enum exit_kind expected;
    uint32_t answer;
    uint32_t exits;
};

void pass_run(const struct extension *extension, enum pass pass, const struct options *options,
    struct pass_result *result);
const char *pass_name(enum pass pass);
const char *pass_kind_name(enum exit_kind kind);
/* The lines "pass" and "exit". */
void pass_report(enum pass pass, const struct pass_result *result);
