/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-modprobe.h"
#include "nest-host-file.h"
#include <errno.h>
#include <string.h>

#define FILES_MAX 256 /* in a folder */

typedef struct {
    const char *root, *module;
    const char *parameter; /* NULL: whether it is blacklisted */
    GHashTable *seen; /* names of files */
    GStrvBuilder *where, *values;
    guint found;
    char *error; /* the first */
} Search;

/* kvm-intel is kvm_intel. */
static gboolean is_module(const char *word, gsize length, const char *module)
{
    if (strlen(module) != length)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if ((word[i] == '-' ? '_' : word[i]) != module[i])
            return FALSE;
    return TRUE;
}

static void take_place(Search *search, const char *path, const char *value)
{
    g_autofree char *where = g_strconcat("/", path, NULL);
    g_strv_builder_add(search->where, where);
    g_strv_builder_add(search->values, value);
    search->found++;
}

/* What word sets parameter to, if it does; a bare name sets it to 1. */
static void take_word(Search *search, const char *path, const char *word)
{
    gsize length = strcspn(word, "=");
    if (strlen(search->parameter) != length || strncmp(word, search->parameter, length) != 0)
        return;
    g_autofree char *value = nest_host_file_clean(word[length] == '=' ? word + length + 1 : "1");
    take_place(search, path, value != NULL ? value : "");
}

static void take_line(Search *search, const char *path, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
    guint n = 0, i = 0;
    for (; words[i] != NULL && n < 2; i++) {
        if (*words[i] == '\0')
            continue;
        if (n == 0 && strcmp(words[i], search->parameter != NULL ? "options" : "blacklist") != 0)
            return;
        if (n == 1 && !is_module(words[i], strlen(words[i]), search->module))
            return;
        n++;
    }
    for (; n == 2 && search->parameter != NULL && words[i] != NULL; i++)
        take_word(search, path, words[i]);
    if (n == 2 && search->parameter == NULL)
        take_place(search, path, "");
}

static void remember(Search *search, const char *path, char *error)
{
    if (search->error == NULL)
        search->error = g_strdup_printf("/%s: %s", path, error);
    g_free(error);
}

/* As to modprobe, which passes over a link that leads nowhere. */
static gboolean says_nothing(const char *error)
{
    return strcmp(error, "empty") == 0 || strcmp(error, g_strerror(ENOENT)) == 0;
}

static void take_file(Search *search, const char *path)
{
    g_autofree char *full = g_build_filename(search->root, path, NULL);
    g_autofree char *target = g_file_read_link(full, NULL);
    if (g_strcmp0(target, "/dev/null") == 0)
        return;
    char *error = NULL;
    g_autofree char *text =
        nest_host_file_linked_text(search->root, path, NEST_HOST_FILE_MAX, &error);
    if (text == NULL && says_nothing(error)) {
        g_free(error);
        return;
    }
    if (text == NULL) {
        remember(search, path, error);
        return;
    }
    char *next = text;
    while (next != NULL)
        take_line(search, path, strsep(&next, "\n"));
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take_folder(Search *search, const char *folder)
{
    g_autofree char *full = g_build_filename(search->root, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while (dir != NULL && names->len < FILES_MAX && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, g_ptr_array_index(names, i), NULL);
        if (g_hash_table_add(search->seen, g_strdup(g_ptr_array_index(names, i))))
            take_file(search, path);
    }
}

static void take_cmdline(Search *search)
{
    char *error = NULL;
    g_autofree char *line =
        nest_host_file_text(search->root, "proc/cmdline", NEST_HOST_FILE_MAX, &error);
    if (line == NULL) {
        remember(search, "proc/cmdline", error);
        return;
    }
    g_auto(GStrv) words = g_strsplit_set(line, " \t\n", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        gsize length = strcspn(words[i], ".");
        if (words[i][length] == '.' && is_module(words[i], length, search->module))
            take_word(search, "proc/cmdline", words[i] + length + 1);
    }
}

char *nest_host_modprobe_find(const char *root, const char *module, gboolean built_in,
    const char *parameter, GStrv *ret_where, GStrv *ret_values, char **ret_error)
{
    static const char *const folders[] = {"etc/modprobe.d", "run/modprobe.d",
        "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"};
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GStrvBuilder) where = g_strv_builder_new();
    g_autoptr(GStrvBuilder) values = g_strv_builder_new();
    Search search = {root, module, parameter, seen, where, values, 0, NULL};
    for (guint i = 0; module != NULL && !built_in && i < G_N_ELEMENTS(folders); i++)
        take_folder(&search, folders[i]);
    if (module != NULL && parameter != NULL)
        take_cmdline(&search);
    *ret_where = g_strv_builder_end(where);
    *ret_values = g_strv_builder_end(values);
    *ret_error = search.error;
    return search.error == NULL ? g_strdup_printf("%u found", search.found) : NULL;
}

char *nest_host_modprobe_blacklisted(const char *root, const char *module)
{
    g_auto(GStrv) where = NULL, values = NULL;
    g_autofree char *error = NULL;
    G_GNUC_UNUSED g_autofree char *found =
        nest_host_modprobe_find(root, module, FALSE, NULL, &where, &values, &error);
    return g_strdup(where[0]);
}

/* The name by which a file is sorted; NULL for the command line. */
static const char *sorted_name(const char *where)
{
    return strcmp(where, "/proc/cmdline") == 0 ? NULL : strrchr(where, '/') + 1;
}

gboolean nest_host_modprobe_yields(const char *a, const char *b)
{
    const char *left = sorted_name(a), *right = sorted_name(b);
    return left != NULL && (right == NULL || strcmp(left, right) < 0);
}

gboolean nest_host_modprobe_winner(GStrv where, guint *ret_index)
{
    guint last = 0;
    if (where == NULL || where[0] == NULL)
        return FALSE;
    for (guint i = 1; where[i] != NULL; i++)
        if (!nest_host_modprobe_yields(where[i], where[last]))
            last = i;
    *ret_index = last;
    return TRUE;
}
