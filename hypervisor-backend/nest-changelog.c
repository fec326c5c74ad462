/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-changelog.h"
#include "nest-host-file.h"
#include <gio/gio.h>
#include <string.h>

#define FILE_MAX (16 * 1024 * 1024)
#define TEXT_MAX (64 * 1024 * 1024)
#define CHUNK (64 * 1024)
#define LINE_MAX_BYTES 4096

typedef struct {
    const char *version;
    const char *const *words;
    gboolean *seen; /* as many as words */
    guint missing; /* words not seen */
    gboolean reached; /* the entry of version */
} Search;

/* A signed build of Debian has a plus where the build that it signs has a minus. */
static gboolean same_version(const char *found, gsize length, const char *version)
{
    if (strlen(version) != length)
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        char a = found[i] == '+' ? '-' : found[i], b = version[i] == '+' ? '-' : version[i];
        if (a != b)
            return FALSE;
    }
    return TRUE;
}

static gboolean begins_entry(const char *line, const char *version)
{
    const char *open = g_ascii_isalnum(line[0]) ? strstr(line, " (") : NULL;
    const char *close = open != NULL ? strchr(open, ')') : NULL;
    return close != NULL && same_version(open + 2, close - open - 2, version);
}

static gboolean has_word(const char *line, const char *word)
{
    gsize length = strlen(word);
    for (const char *at = strstr(line, word); at != NULL; at = strstr(at + 1, word))
        if ((at == line || !g_ascii_isalnum(at[-1])) && !g_ascii_isalnum(at[length]))
            return TRUE;
    return FALSE;
}

static void search_line(Search *search, const char *line)
{
    search->reached = search->reached || begins_entry(line, search->version);
    if (!search->reached)
        return;
    for (guint i = 0; search->words[i] != NULL; i++) {
        if (search->seen[i] || !has_word(line, search->words[i]))
            continue;
        search->seen[i] = TRUE;
        search->missing--;
    }
}

/* Goes on with line, of which no more than a bound is kept. */
static void search_chunk(Search *search, const char *chunk, gsize length, GString *line)
{
    const char *end = chunk + length;
    while (chunk < end) {
        const char *newline = memchr(chunk, '\n', end - chunk);
        gsize part = (newline != NULL ? newline : end) - chunk;
        g_string_append_len(line, chunk, MIN(part, LINE_MAX_BYTES - line->len));
        chunk += part + 1;
        if (newline == NULL)
            return;
        search_line(search, line->str);
        g_string_truncate(line, 0);
    }
}

/* FALSE and ret_error where the stream breaks off. */
static gboolean search_stream(Search *search, GInputStream *stream, char **ret_error)
{
    g_autofree char *chunk = g_malloc(CHUNK);
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    gssize n = 1;
    for (gsize total = 0; n > 0 && search->missing > 0 && total < TEXT_MAX; total += n) {
        n = g_input_stream_read(stream, chunk, CHUNK, NULL, &error);
        if (n < 0) {
            *ret_error = g_strdup(error->message);
            return FALSE;
        }
        search_chunk(search, chunk, n, line);
    }
    search_line(search, line->str);
    return TRUE;
}

static GInputStream *open_stream(const GByteArray *bytes)
{
    g_autoptr(GInputStream) raw =
        g_memory_input_stream_new_from_data(bytes->data, bytes->len, NULL);
    if (bytes->len < 2 || bytes->data[0] != 0x1f || bytes->data[1] != 0x8b)
        return g_steal_pointer(&raw);
    g_autoptr(GZlibDecompressor) gzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    return g_converter_input_stream_new(raw, G_CONVERTER(gzip));
}

GStrv nest_changelog_find(const char *root, const char *path, const char *version,
    const char *const *words, char **ret_error)
{
    g_autoptr(GByteArray) bytes = nest_host_file_bytes(root, path, FILE_MAX, ret_error);
    if (bytes == NULL)
        return NULL;
    guint n = g_strv_length((GStrv)words);
    g_autofree gboolean *seen = g_new0(gboolean, n + 1);
    g_autoptr(GInputStream) stream = open_stream(bytes);
    Search search = {version, words, seen, n, FALSE};
    if (!search_stream(&search, stream, ret_error))
        return NULL;
    if (!search.reached) {
        *ret_error = g_strdup_printf("it has no entry of %s, the build that runs", version);
        return NULL;
    }
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    for (guint i = 0; i < n; i++)
        if (seen[i])
            g_strv_builder_add(found, words[i]);
    return g_strv_builder_end(found);
}
