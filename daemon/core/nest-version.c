/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-version.h"
#include <stdio.h>
#include <string.h>

#define NO_RC 255u

guint nest_version_number(const char *text)
{
    guint major, minor;
    if (text == NULL || sscanf(text, "%3u.%3u", &major, &minor) != 2)
        return 0;
    return NEST_VERSION_NUMBER(major, minor);
}

guint64 nest_version_linux(const char *text)
{
    guint major, minor, patch = 0, rc = 0;
    int end = 0;
    if (text == NULL || sscanf(text, "%4u.%4u%n", &major, &minor, &end) != 2)
        return 0;
    text += end;
    if (sscanf(text, ".%5u%n", &patch, &end) == 1)
        text += end;
    if ((*text == '-' || *text == '~') && sscanf(text + 1, "rc%3u", &rc) == 1 && rc < NO_RC)
        return (guint64)major << 48 | (guint64)minor << 32 | (guint64)patch << 8 | rc;
    return (guint64)major << 48 | (guint64)minor << 32 | (guint64)patch << 8 | NO_RC;
}

/* Of one character that is no digit: tilde, the end, letters, others. */
static int order(char c)
{
    return c == '~'          ? -1
        : c == '\0'          ? 0
        : g_ascii_isdigit(c) ? 0
        : g_ascii_isalpha(c) ? c
                             : c + 256;
}

static int compare_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    gsize length_a = strspn(*a, "0123456789"), length_b = strspn(*b, "0123456789");
    int result = length_a != length_b ? (length_a < length_b ? -1 : 1) : strncmp(*a, *b, length_a);
    *a += length_a;
    *b += length_b;
    return result;
}

int nest_version_compare_deb(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        while ((*a != '\0' && !g_ascii_isdigit(*a)) || (*b != '\0' && !g_ascii_isdigit(*b))) {
            int difference = order(*a) - order(*b);
            if (difference != 0)
                return difference;
            a += *a != '\0';
            b += *b != '\0';
        }
        int difference = compare_numbers(&a, &b);
        if (difference != 0)
            return difference;
    }
    return 0;
}

static gsize segment(const char *text)
{
    gboolean digits = g_ascii_isdigit(*text);
    gsize length = 0;
    while (g_ascii_isalnum(text[length]) && g_ascii_isdigit(text[length]) == digits)
        length++;
    return length;
}

static int compare_segments(const char **a, const char **b)
{
    if (g_ascii_isdigit(**a) && g_ascii_isdigit(**b))
        return compare_numbers(a, b);
    if (g_ascii_isdigit(**a) || g_ascii_isdigit(**b))
        return g_ascii_isdigit(**a) ? 1 : -1;
    gsize length_a = segment(*a), length_b = segment(*b);
    int result = strncmp(*a, *b, MIN(length_a, length_b));
    *a += length_a;
    *b += length_b;
    return result != 0 ? result : (length_a > length_b) - (length_a < length_b);
}

static const char *skip_separators(const char *text)
{
    while (*text != '\0' && *text != '~' && !g_ascii_isalnum(*text))
        text++;
    return text;
}

int nest_version_compare_rpm(const char *a, const char *b)
{
    for (;;) {
        a = skip_separators(a);
        b = skip_separators(b);
        if (*a == '~' || *b == '~') {
            if (*a != *b)
                return *a == '~' ? -1 : 1;
            a++;
            b++;
            continue;
        }
        if (*a == '\0' || *b == '\0')
            return (*a != '\0') - (*b != '\0');
        int difference = compare_segments(&a, &b);
        if (difference != 0)
            return difference;
    }
}
