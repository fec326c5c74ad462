/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-definition.h"
#include "nest-error.h"
#include "nest-types.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean read_all(int fd, GString *text)
{
    char block[64 * 1024];
    while (text->len <= NEST_XML_MAX) {
        gssize got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        g_string_append_len(text, block, got);
    }
    return TRUE;
}

static gboolean check_text(const char *file, const GString *text, GError **error)
{
    if (text->len > NEST_XML_MAX) {
        nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "%s has more than %d MiB", file,
            NEST_XML_MAX / (1024 * 1024));
        return FALSE;
    }
    if (g_utf8_validate(text->str, text->len, NULL))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        "convert it first, for example with iconv -t UTF-8", "%s is not a text in UTF-8", file);
    return FALSE;
}

char *nest_definition_read(const char *file, GError **error)
{
    gboolean standard = strcmp(file, "-") == 0;
    const char *name = standard ? "what came on standard input"
        : *file == '\0'         ? "a file without a name"
                                : file;
    g_autoptr(GString) text = g_string_new(NULL);
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    gboolean good = fd >= 0 && read_all(fd, text);
    int problem = errno;
    if (fd >= 0 && !standard)
        close(fd);
    if (!good) {
        nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "%s can't be read: %s", name,
            g_strerror(problem));
        return NULL;
    }
    return check_text(name, text, error) ? g_strdup(text->str) : NULL;
}
