/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "proof-protocol.h"
#include <stdint.h>

/* Writes the report of proof-protocol.h to COM1. A line is begun, filled and ended. */

void report_open(void);
void report_begin(const char *word);
void report_word(const char *key, const char *value);
void report_number(const char *key, uint64_t value);
void report_hex(const char *key, uint64_t value);
/* Up to n bytes that a CPU made: what is not a letter or digit is left out. */
void report_bytes(const char *key, const char *bytes, unsigned n);
/* Part of a value, as it is. */
void report_text(const char *text);
void report_end(void);
unsigned report_lines(void);
/* Waits until the last byte has left. */
void report_flush(void);
const char *report_code(ProofCode code);
