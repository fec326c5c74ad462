/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include <glib.h>

/* Runs a fuzz target over files, and over all files in directories: past finds stay tested where
 * there is no fuzzer. */
static int replay_file(const char *path)
{
    g_autofree char *data = NULL;
    g_autoptr(GError) error = NULL;
    gsize size;
    if (!g_file_get_contents(path, &data, &size, &error)) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    g_print("%s\n", path);
    g_autofree uint8_t *copy = g_memdup2(data, size);
    return LLVMFuzzerTestOneInput(copy, size);
}

static int replay(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return replay_file(path);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    int failed = dir == NULL ? 1 : 0;
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        failed |= replay_file(file);
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    return failed;
}
