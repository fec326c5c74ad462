/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"
#include "system.h"
#include <asm/unistd.h>

static char line[PROBE_LINE_MAX + 1];
static unsigned length, lines;

static void put(char c)
{
    if (length < PROBE_LINE_MAX)
        line[length++] = c;
}

static void put_text(const char *text)
{
    while (*text != '\0')
        put(*text++);
}

void report_begin(const char *word)
{
    length = 0;
    put_text(PROBE_PREFIX);
    put_text(word);
}

static void begin_value(const char *key)
{
    put(' ');
    put_text(key);
    put('=');
}

void report_word(const char *key, const char *value)
{
    begin_value(key);
    put_text(value);
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
        put(digits[--n]);
}

void report_number(const char *key, uint64_t value)
{
    begin_value(key);
    put_digits(value, 10);
}

void report_hex(const char *key, uint64_t value)
{
    begin_value(key);
    put_text("0x");
    put_digits(value, 16);
}

void report_bytes(const char *key, const char *bytes, unsigned n)
{
    begin_value(key);
    for (unsigned i = 0; i < n; i++) {
        char c = bytes[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            put(c);
    }
}

void report_end(void)
{
    unsigned written = 0;
    lines++;
    line[length++] = '\n';
    while (written < length) {
        long n = SYSTEM_CALL(__NR_write, 1, line + written, length - written);
        if (n <= 0)
            return;
        written += (unsigned)n;
    }
}

unsigned report_lines(void)
{
    return lines;
}

const char *report_code(ProbeCode code)
{
    static const char *const words[] = {
#define WORD(name, word, meaning) word,
        PROBE_CODES(WORD)
#undef WORD
    };
    return words[code];
}
