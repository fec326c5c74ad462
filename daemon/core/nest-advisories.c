/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-advisories.h"
#include "nest-advisories-data.h"
#include "nest-error.h"
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define FILES_MAX 64
#define FILE_MAX (256 * 1024)
#define SHIPPED "/org/nestd/advisories/advisories.json"

static void free_entry(gpointer entry)
{
    nest_advisory_free(entry);
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    const NestAdvisory *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

/* Takes over all of advisories. */
static void merge(GHashTable *entries, GPtrArray *advisories)
{
    g_autoptr(GPtrArray) taken = advisories;
    g_ptr_array_set_free_func(taken, NULL);
    for (guint i = 0; i < taken->len; i++) {
        NestAdvisory *advisory = g_ptr_array_index(taken, i);
        g_hash_table_replace(entries, advisory->id, advisory);
    }
}

/* Shipped ones are read by a test of each build. */
static void merge_shipped(GHashTable *entries)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_resource_lookup_data(
        nest_advisories_data_get_resource(), SHIPPED, G_RESOURCE_LOOKUP_FLAGS_NONE, &error);
    GPtrArray *advisories = bytes != NULL
        ? nest_advisory_read(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error)
        : NULL;
    if (advisories == NULL)
        g_error("the advisories that nestd was built with can't be read: %s", error->message);
    merge(entries, advisories);
}

/* NULL: merged, else what is wrong. */
static char *merge_file(GHashTable *entries, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
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
    GPtrArray *advisories = g_file_get_contents(path, &text, &length, &error)
        ? nest_advisory_read(text, length, &error)
        : NULL;
    if (advisories == NULL)
        return g_strdup(error->message);
    merge(entries, advisories);
    return NULL;
}

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

static GStrv merge_folder(GHashTable *entries, const char *folder)
{
    g_autoptr(GStrvBuilder) problems = g_strv_builder_new();
    g_autoptr(GPtrArray) names = list_files(folder);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *problem = i < FILES_MAX
            ? merge_file(entries, folder, name)
            : g_strdup_printf("there are more than %d files", FILES_MAX);
        if (problem == NULL)
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *sentence = g_strdup_printf("%s is left out: %s", path, problem);
        g_autofree char *shown = g_utf8_make_valid(sentence, -1);
        g_strv_builder_add(problems, shown);
    }
    return g_strv_builder_end(problems);
}

static GStrv collect_words(const GPtrArray *entries)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    for (guint i = 0; i < entries->len; i++) {
        const NestAdvisory *advisory = g_ptr_array_index(entries, i);
        for (char **word = advisory->words; word != NULL && *word != NULL; word++)
            if (g_hash_table_add(seen, *word))
                g_strv_builder_add(words, *word);
    }
    return g_strv_builder_end(words);
}

NestAdvisories *nest_advisories_load(const char *folder)
{
    NestAdvisories *advisories = g_atomic_rc_box_new0(NestAdvisories);
    g_autoptr(GHashTable) entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_entry);
    merge_shipped(entries);
    advisories->problems = merge_folder(entries, folder);
    advisories->entries = g_ptr_array_new_with_free_func(free_entry);
    GHashTableIter iter;
    gpointer entry;
    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        g_ptr_array_add(advisories->entries, entry);
    g_hash_table_steal_all(entries);
    g_ptr_array_sort(advisories->entries, by_id);
    advisories->words = collect_words(advisories->entries);
    return advisories;
}

NestAdvisories *nest_advisories_ref(NestAdvisories *advisories)
{
    return g_atomic_rc_box_acquire(advisories);
}

static void clear(gpointer data)
{
    NestAdvisories *advisories = data;
    g_ptr_array_unref(advisories->entries);
    g_strfreev(advisories->words);
    g_strfreev(advisories->problems);
}

void nest_advisories_unref(NestAdvisories *advisories)
{
    if (advisories != NULL)
        g_atomic_rc_box_release_full(advisories, clear);
}
