/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"
#include "start.h"
#include "x86.h"

/* Multiboot Specification 0.6.96, 3.2 and 3.3. */
#define BOOTED_BY_MULTIBOOT 0x2BADB002
#define INFO_HAS_COMMAND_LINE (1u << 2)
#define MAPPED 0x40000000u
#define LENGTH_MAX 512

#define SEED 0x6e657374
#define TICKS 55 /* 3 s */

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

static const struct {
    const char *word;
    enum try try;
} tries[] = {
    {"spin", TRY_SPIN},
    {"wrong", TRY_WRONG},
    {"crash", TRY_CRASH},
    {"state", TRY_STATE},
    {"fail", TRY_FAIL},
    {"write", TRY_WRITE},
    {"fault", TRY_FAULT},
};

static const char *command_line(void)
{
    if (start_magic != BOOTED_BY_MULTIBOOT || start_info >= MAPPED)
        return "";
    const struct multiboot_info *info = (const void *)(uintptr_t)start_info;
    if (!(info->flags & INFO_HAS_COMMAND_LINE) || info->cmdline >= MAPPED - LENGTH_MAX)
        return "";
    return (const char *)(uintptr_t)info->cmdline;
}

/* What follows the key, if text begins with it. */
static const char *after(const char *text, const char *key)
{
    while (*key != '\0' && *text == *key) {
        text++;
        key++;
    }
    return *key == '\0' ? text : NULL;
}

static bool ends(char c)
{
    return c == '\0' || c == ' ';
}

static uint32_t read_hex(const char *text)
{
    uint32_t value = 0;
    for (; !ends(*text); text++) {
        uint32_t digit = *text >= 'a' ? (uint32_t)(*text - 'a') + 10 : (uint32_t)(*text - '0');
        if (digit > 15)
            return 0;
        value = value << 4 | digit;
    }
    return value;
}

static uint32_t read_decimal(const char *text)
{
    uint32_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (uint32_t)(*text - '0');
    return value;
}

static enum try read_try(const char *text)
{
    for (unsigned i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        const char *rest = after(text, tries[i].word);
        if (rest != NULL && ends(*rest))
            return tries[i].try;
    }
    return TRY_NOTHING;
}

static void read_word(const char *word, struct options *options)
{
    const char *value;
    if ((value = after(word, "seed=")) != NULL && read_hex(value) != 0)
        options->seed = read_hex(value);
    else if ((value = after(word, "ticks=")) != NULL && read_decimal(value) != 0)
        options->ticks = read_decimal(value);
    else if ((value = after(word, "try=")) != NULL)
        options->try = read_try(value);
}

struct options options_read(void)
{
    struct options options = {.seed = SEED, .ticks = TICKS};
    const char *line = command_line();
    for (unsigned i = 0; i < LENGTH_MAX && line[i] != '\0'; i++) {
        if (i == 0 || line[i - 1] == ' ')
            read_word(line + i, &options);
    }
    return options;
}
