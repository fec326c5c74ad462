/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"
#include "x86.h"

/* A 16550 at COM1: transmit, line status with "transmitter holding register empty" and
 * "transmitter empty". */
#define COM1 0x3f8
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define FIFO_SIZE 16
#define POLLS_MAX 200000

static unsigned room, lines;

static void put(char c)
{
    for (unsigned polls = 0; room == 0 && polls < POLLS_MAX; polls++)
        room = x86_in8(COM1 + 5) & LSR_THRE ? FIFO_SIZE : 0;
    if (room == 0)
        return;
    room--;
    x86_out8(COM1, (uint8_t)c);
}

/* 115200 baud, 8N1, FIFOs on, no interrupts. */
void report_open(void)
{
    static const uint8_t settings[][2] = {
        {1, 0x00}, {3, 0x80}, {0, 0x01}, {1, 0x00}, {3, 0x03}, {2, 0x07}, {4, 0x03}};
    for (unsigned i = 0; i < sizeof settings / sizeof settings[0]; i++)
        x86_out8(COM1 + settings[i][0], settings[i][1]);
}

void report_text(const char *text)
{
    while (*text != '\0')
        put(*text++);
}

void report_begin(const char *word)
{
    if (lines == 0)
        report_text("\r\n"); /* whatever firmware left on the line */
    report_text(PROOF_PREFIX);
    report_text(word);
}

static void begin_value(const char *key)
{
    put(' ');
    report_text(key);
    put('=');
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
            put(bytes[i]);
    }
}

void report_end(void)
{
    lines++;
    report_text("\r\n");
}

void report_flush(void)
{
    unsigned polls = 0;
    while (!(x86_in8(COM1 + 5) & LSR_TEMT) && polls < POLLS_MAX)
        polls++;
}

unsigned report_lines(void)
{
    return lines;
}

const char *report_code(ProofCode code)
{
    static const char *const words[] = {
#define WORD(name, word, meaning) word,
        PROOF_CODES(WORD)
#undef WORD
    };
    return words[code];
}
