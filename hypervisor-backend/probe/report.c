/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"
#include "system.h"
#include <asm/unistd.h>

static char line[PROBE_LINE_MAX + 1];
static unsigned length, lines;

void report_put(char c)
{
    if (length < PROBE_LINE_MAX)
        line[length++] = c;
}

void report_begin(const char *word)
{
    length = 0;
    report_text(PROBE_PREFIX);
    report_text(word);
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
