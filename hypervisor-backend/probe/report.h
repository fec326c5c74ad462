/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "../report.h"
#include "probe-protocol.h"

/* The lines of the report: begin, then values, then end, which writes it. */
void report_begin(const char *word);
void report_end(void);
unsigned report_lines(void);

const char *report_code(ProbeCode code);
