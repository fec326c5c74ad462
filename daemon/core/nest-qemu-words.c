/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-qemu-words.h"
#include <string.h>

#define DEFAULT_MEMORY_KIB (128 * 1024)
#define VCPUS_MAX 65536
#define MEMORY_KIB_MAX (G_GUINT64_CONSTANT(1) << 50)

void nest_qemu_words_clear(NestQemuWords *said)
{
    g_clear_pointer(&said->name, g_free);
    g_clear_pointer(&said->pidfile, g_free);
}

/* The value of key in "a,b=c,…"; first: the one without a key at the beginning is it, too. A comma
 * in a value is written twice; what is looked for here has none. */
static char *value_of(const char *list, const char *key, gboolean first)
{
    g_auto(GStrv) parts = g_strsplit(list, ",", -1);
    gsize length = strlen(key);
    for (guint i = 0; parts[i] != NULL; i++) {
        if (strncmp(parts[i], key, length) == 0 && parts[i][length] == '=')
            return g_strdup(parts[i] + length + 1);
        if (i == 0 && first && *parts[i] != '\0' && strchr(parts[i], '=') == NULL)
            return g_strdup(parts[i]);
    }
    return NULL;
}

static guint64 number_of(const char *list, const char *key, gboolean first)
{
    g_autofree char *text = value_of(list, key, first);
    guint64 number = 0;
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 1, VCPUS_MAX, &number, NULL)
        ? number
        : 0;
}

/* "cpus=4,maxcpus=8" or "sockets=2,cores=2": without cpus it is the product of the rest. */
static guint read_vcpus(const char *list)
{
    static const char *const levels[] = {"sockets", "dies", "clusters", "cores", "threads"};
    guint64 product = number_of(list, "cpus", TRUE);
    if (product > 0)
        return product;
    product = 1;
    for (guint i = 0; i < G_N_ELEMENTS(levels); i++)
        product *= MAX(number_of(list, levels[i], FALSE), 1);
    return product <= VCPUS_MAX ? product : 0;
}

/* "512", "2G", "size=1048576k": MiB where it has no unit. */
static guint64 read_memory(const char *list)
{
    static const char units[] = "kmgt";
    g_autofree char *text = value_of(list, "size", TRUE);
    char *end = NULL;
    if (text == NULL || !g_ascii_isdigit(*text))
        return DEFAULT_MEMORY_KIB;
    guint64 number = g_ascii_strtoull(text, &end, 10);
    const char *unit = *end == '\0' ? units + 1 : strchr(units, g_ascii_tolower(*end));
    if (unit == NULL || number > MEMORY_KIB_MAX >> (10 * (unit - units)))
        return 0;
    return number << (10 * (unit - units));
}

static gboolean is_option(const char *word, const char *name)
{
    if (*word != '-')
        return FALSE;
    word += word[1] == '-' ? 2 : 1;
    return strcmp(word, name) == 0;
}

static void read_option(const char *option, const char *value, NestQemuWords *said)
{
    if (is_option(option, "m")) {
        said->memory_kib = read_memory(value);
    } else if (is_option(option, "smp")) {
        said->vcpus = read_vcpus(value);
    } else if (is_option(option, "name")) {
        g_free(said->name);
        said->name = value_of(value, "guest", TRUE);
    } else if (is_option(option, "pidfile")) {
        g_free(said->pidfile);
        said->pidfile = g_strdup(value);
    }
}

void nest_qemu_words_read(char *const *words, NestQemuWords *ret_said)
{
    *ret_said = (NestQemuWords){.memory_kib = DEFAULT_MEMORY_KIB, .vcpus = 1};
    for (guint i = 0; words[i] != NULL && words[i + 1] != NULL; i++)
        read_option(words[i], words[i + 1], ret_said);
}
