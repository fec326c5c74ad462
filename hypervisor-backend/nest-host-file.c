/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-host-file.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256

static void explain(char **ret_error, const char *reason)
{
    if (ret_error != NULL)
        *ret_error = g_strdup(reason);
}

/* Links lead nowhere out of root, also those that are absolute. A kernel before 5.6, which can't
 * see to that, follows them on the running host only, where nothing is out of root. */
static int open_linked(const char *root, const char *path, char **ret_error)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        explain(ret_error, g_strerror(errno));
        return -1;
    }
    int fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM) && strcmp(root, "/") == 0)
        fd = openat(folder, path, how.flags);
    if (fd < 0)
        explain(ret_error, g_strerror(errno));
    close(folder);
    return fd;
}

int nest_host_file_open(const char *root, const char *path, char **ret_error)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        explain(ret_error, g_strerror(errno));
    return fd;
}

/* All bytes up to max. sysfs and procfs give no size, so read until the end. */
static GString *read_all(int fd, gsize max, char **ret_error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[16 * 1024];
    while (text->len < max) {
        ssize_t n = read(fd, buffer, MIN(sizeof buffer, max - text->len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            explain(ret_error, g_strerror(errno));
            return NULL;
        }
        if (n == 0)
            break;
        g_string_append_len(text, buffer, n);
    }
    return g_steal_pointer(&text);
}

static GString *read_regular(int fd, gsize max, char **ret_error)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        explain(ret_error, "not a regular file");
        return NULL;
    }
    return read_all(fd, max, ret_error);
}

GByteArray *nest_host_file_bytes(const char *root, const char *path, gsize max, char **ret_error)
{
    int fd = nest_host_file_open(root, path, ret_error);
    if (fd < 0)
        return NULL;
    GString *text = read_regular(fd, max, ret_error);
    close(fd);
    if (text == NULL)
        return NULL;
    gsize length = text->len;
    return g_byte_array_new_take((guint8 *)g_string_free(text, FALSE), length);
}

/* Takes fd, -1 where it could not be opened. */
static char *text_of(int fd, gsize max, char **ret_error)
{
    if (fd < 0)
        return NULL;
    GString *text = read_regular(fd, max, ret_error);
    close(fd);
    if (text == NULL)
        return NULL;
    const char *wrong = text->len == 0            ? "empty"
        : memchr(text->str, 0, text->len) != NULL ? "not a text"
                                                  : NULL;
    g_autofree char *bytes = g_string_free(text, FALSE);
    if (wrong != NULL) {
        explain(ret_error, wrong);
        return NULL;
    }
    return g_utf8_make_valid(bytes, -1);
}

char *nest_host_file_text(const char *root, const char *path, gsize max, char **ret_error)
{
    return text_of(nest_host_file_open(root, path, ret_error), max, ret_error);
}

char *nest_host_file_linked_text(const char *root, const char *path, gsize max, char **ret_error)
{
    return text_of(open_linked(root, path, ret_error), max, ret_error);
}

char *nest_host_file_clean(const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    if (strlen(valid) > LINE_MAX_BYTES) {
        char *end = g_utf8_find_prev_char(valid, valid + LINE_MAX_BYTES + 1);
        *end = '\0';
    }
    g_autoptr(GString) shown = g_string_new(NULL);
    for (const char *c = g_strstrip(valid); *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);
        g_string_append_unichar(shown, g_unichar_iscntrl(character) ? '?' : character);
    }
    return shown->len > 0 ? g_string_free(g_steal_pointer(&shown), FALSE) : NULL;
}

char *nest_host_file_line(const char *root, const char *path, char **ret_error)
{
    g_autofree char *text = nest_host_file_text(root, path, NEST_HOST_FILE_MAX, ret_error);
    if (text == NULL)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    char *line = nest_host_file_clean(text);
    if (line == NULL)
        explain(ret_error, "empty");
    return line;
}

gboolean nest_host_file_exists(const char *root, const char *path)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    struct stat status;
    return lstat(full, &status) == 0;
}
