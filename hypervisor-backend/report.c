/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"
#include <stdbool.h>

void report_text(const char *text)
{
    while (*text != '\0')
        report_put(*text++);
}

static void begin_value(const char *key)
{
    report_put(' ');
    report_text(key);
    report_put('=');
}

void report_word(const char *key, const char *value)
{
    begin_value(key);
    report_text(value);
}

static void put_digits(uint64_t value, unsigned base)
{
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (n > 0)
        report_put(digits[--n]);
}

void report_number(const char *key, uint64_t value)
{
    begin_value(key);
    put_digits(value, 10);
}

void report_hex(const char *key, uint64_t value)
{
    begin_value(key);
    report_text("0x");
    put_digits(value, 16);
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void report_bytes(const char *key, const char *bytes, unsigned n)
{
    begin_value(key);
    for (unsigned i = 0; i < n; i++) {
        if (is_plain(bytes[i]))
            report_put(bytes[i]);
    }
}
