/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

/* The words of a line of a report, for the programs of proof/ and probe/, which have no C library.
 */

/* The program's own: where a byte of the line goes. */
void report_put(char c);

/* As it is; part of a value, or what a line begins with. */
void report_text(const char *text);
void report_word(const char *key, const char *value);
void report_number(const char *key, uint64_t value);
void report_hex(const char *key, uint64_t value);
/* Up to n bytes that a CPU made: what is not a letter or digit is left out. */
void report_bytes(const char *key, const char *bytes, unsigned n);
