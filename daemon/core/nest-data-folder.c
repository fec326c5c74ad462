/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-data-folder.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define FILES_MAX 64
#define FILE_MAX (256 * 1024)

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_files(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".json") && name[0] != '.')
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    return names;
}

/* NULL: taken, else what is wrong. */
static char *take_file(const char *path, NestDataFolderFunc func, gpointer user_data)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    GStatBuf status;
    if (g_stat(path, &status) != 0)
        return g_strdup(g_strerror(errno));
    if (!S_ISREG(status.st_mode))
        return g_strdup("it is not a regular file");
    if (status.st_size > FILE_MAX)
        return g_strdup_printf("it has more than %d KiB", FILE_MAX / 1024);
    if (!g_file_get_contents(path, &text, &length, &error) ||
        !func(text, length, user_data, &error))
        return g_strdup(error->message);
    return NULL;
}

GStrv nest_data_folder_read(const char *folder, NestDataFolderFunc func, gpointer user_data)
{
    g_autoptr(GStrvBuilder) problems = g_strv_builder_new();
    g_autoptr(GPtrArray) names = list_files(folder);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, g_ptr_array_index(names, i), NULL);
        g_autofree char *problem = i < FILES_MAX
            ? take_file(path, func, user_data)
            : g_strdup_printf("there are more than %d files", FILES_MAX);
        if (problem == NULL)
            continue;
        g_autofree char *sentence = g_strdup_printf("%s is left out: %s", path, problem);
        g_autofree char *shown = g_utf8_make_valid(sentence, -1);
        g_strv_builder_add(problems, shown);
    }
    return g_strv_builder_end(problems);
}
