/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "probe-protocol.h"

/* The lines of the report: begin, then words and numbers, then end, which writes it. */
void report_begin(const char *word);
void report_word(const char *key, const char *value);
void report_number(const char *key, uint64_t value);
void report_hex(const char *key, uint64_t value);
/* Only what of bytes is letters and digits. */
void report_bytes(const char *key, const char *bytes, unsigned n);
void report_end(void);
unsigned report_lines(void);

const char *report_code(ProbeCode code);
