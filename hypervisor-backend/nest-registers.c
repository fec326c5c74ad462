/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-registers.h"
#include <string.h>

#define CR4_VMXE (G_GUINT64_CONSTANT(1) << 13)
#define EFER_SVME (G_GUINT64_CONSTANT(1) << 12)

/* The value behind the next name ("CR4=") in *text, hexadecimal, and moves *text behind it. */
static gboolean next_value(const char **text, const char *name, guint64 *ret_value)
{
    const char *found = *text, *digits;
    char *end = NULL;
    /* Only whole words: "CR4=" is no part of another register's name. */
    do {
        found = strstr(found, name);
        digits = found != NULL ? found + strlen(name) : NULL;
        if (found == NULL)
            return FALSE;
        if (found == *text || !g_ascii_isalnum(found[-1]))
            break;
        found = digits;
    } while (TRUE);
    if (!g_ascii_isxdigit(*digits))
        return FALSE;
    *ret_value = g_ascii_strtoull(digits, &end, 16);
    *text = end;
    return TRUE;
}

static guint count_with(const char *text, const char *name, guint64 bits, guint *ret_n)
{
    guint64 value;
    guint with = 0;
    for (*ret_n = 0; next_value(&text, name, &value); (*ret_n)++)
        with += (value & bits) != 0;
    return with;
}

NestAnswer nest_registers_switched_on(const char *text)
{
    guint cr4s = 0, efers = 0, modes = 0;
    guint on = count_with(text, "CR4=", CR4_VMXE, &cr4s);
    on += count_with(text, "EFER=", EFER_SVME, &efers);
    guint hidden = count_with(text, "SMM=", 1, &modes);
    if (on > 0)
        return NEST_ANSWER_YES;
    return cr4s == 0 || cr4s != efers || hidden > 0 ? NEST_ANSWER_UNREAD : NEST_ANSWER_NO;
}

NestAnswer nest_registers_flag(const char *text)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    if (strcmp(word, "true") == 0)
        return NEST_ANSWER_YES;
    return strcmp(word, "false") == 0 ? NEST_ANSWER_NO : NEST_ANSWER_UNREAD;
}
