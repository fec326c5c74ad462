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

void report_put(char c)
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

void report_begin(const char *word)
{
    if (lines == 0)
        report_text("\r\n"); /* whatever firmware left on the line */
    report_text(PROOF_PREFIX);
    report_text(word);
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
