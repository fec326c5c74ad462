/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-advisories.h"
#include "nest-advisories-data.h"
#include "nest-data-folder.h"
#include <gio/gio.h>
#include <string.h>

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

static gboolean merge_text(const char *text, gsize length, gpointer entries, GError **error)
{
    GPtrArray *advisories = nest_advisory_read(text, length, error);
    if (advisories == NULL)
        return FALSE;
    merge(entries, advisories);
    return TRUE;
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
    advisories->problems = nest_data_folder_read(folder, merge_text, entries);
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
