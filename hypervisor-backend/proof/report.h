/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "../report.h"
#include "proof-protocol.h"

/* Writes the report of proof-protocol.h to COM1. A line is begun, filled and ended. */

void report_open(void);
void report_begin(const char *word);
void report_end(void);
unsigned report_lines(void);
/* Waits until the last byte has left. */
void report_flush(void);
const char *report_code(ProofCode code);
