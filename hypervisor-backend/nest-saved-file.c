/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-saved-file.h"
#include "nest-error.h"
#include "nest-host-file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    guint mode, uid, gid;
    guchar *bytes;
    gsize length;
} Content;

static void content_clear(Content *content)
{
    g_free(content->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

static gboolean parse(const char *saved, Content *ret_content)
{
    int at = 0;
    if (sscanf(saved, "%o %u %u %n", &ret_content->mode, &ret_content->uid, &ret_content->gid,
            &at) != 3 ||
        at == 0)
        return FALSE;
    ret_content->bytes = g_base64_decode(saved + at, &ret_content->length);
    return TRUE;
}

static gboolean fail(GError **error, const char *path, const char *what, int code)
{
    const char *next = code == EROFS ? "see that nestd may write there, or change it by hand"
        : code == ENOSPC             ? "make room on that file system"
                                     : NULL;
    nest_set_error(
        error, NEST_ERROR_HOST_UNFIT, next, "/%s can't be %s: %s", path, what, g_strerror(code));
    return FALSE;
}

char *nest_saved_file_make(guint mode, guint uid, guint gid, const char *content, gsize length)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)content, length);
    return g_strdup_printf("%04o %u %u %s", mode & 07777, uid, gid, base64);
}

char *nest_saved_file_content(const char *saved, gsize *ret_length)
{
    g_auto(Content) content = {0};
    if (saved == NULL || !parse(saved, &content))
        return NULL;
    char *text = g_malloc(content.length + 1);
    memcpy(text, content.bytes, content.length);
    text[content.length] = '\0';
    *ret_length = content.length;
    return text;
}

char *nest_saved_file_replace(const char *saved, const char *content, gsize length)
{
    g_auto(Content) old = {0};
    if (!parse(saved, &old))
        return NULL;
    return nest_saved_file_make(old.mode, old.uid, old.gid, content, length);
}

/* The whole of fd, or NULL with errno. */
static char *read_whole(int fd, gsize size, gsize *ret_length)
{
    g_autofree char *bytes = g_malloc(size + 1);
    gsize length = 0;
    while (length <= size) {
        ssize_t n = read(fd, bytes + length, size + 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NULL;
        if (n == 0)
            break;
        length += n;
    }
    *ret_length = length;
    return g_steal_pointer(&bytes);
}

static gboolean read_fd(int fd, const char *path, char **ret_saved, GError **error)
{
    struct stat status;
    gsize length = 0;
    if (fstat(fd, &status) != 0)
        return fail(error, path, "read", errno);
    if (!S_ISREG(status.st_mode) || status.st_size > NEST_SAVED_FILE_MAX) {
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, "look at it, and change it by hand",
            "/%s is %s", path,
            S_ISREG(status.st_mode) ? "larger than 64 KiB" : "not a regular file");
        return FALSE;
    }
    g_autofree char *bytes = read_whole(fd, NEST_SAVED_FILE_MAX, &length);
    if (bytes == NULL)
        return fail(error, path, "read", errno);
    if (length > NEST_SAVED_FILE_MAX)
        return fail(error, path, "read", EFBIG);
    *ret_saved = nest_saved_file_make(status.st_mode, status.st_uid, status.st_gid, bytes, length);
    return TRUE;
}

gboolean nest_saved_file_read(const char *root, const char *path, char **ret_saved, GError **error)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return TRUE;
    if (fd < 0)
        return fail(error, path, "read", errno);
    gboolean ok = read_fd(fd, path, ret_saved, error);
    close(fd);
    return ok;
}

static gboolean write_all(int fd, const Content *content)
{
    for (gsize at = 0; at < content->length;) {
        ssize_t n = write(fd, content->bytes + at, content->length - at);
        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n > 0)
            at += n;
    }
    return TRUE;
}

/* FALSE with errno. */
static gboolean fill(int fd, const Content *content)
{
    struct stat status;
    if (!write_all(fd, content) || fstat(fd, &status) != 0)
        return FALSE;
    if ((status.st_uid != content->uid || status.st_gid != content->gid) &&
        fchown(fd, content->uid, content->gid) != 0)
        return FALSE;
    return fchmod(fd, content->mode) == 0 && fsync(fd) == 0;
}

static gboolean sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FALSE;
    gboolean ok = fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return ok;
}

/* The name begins with a dot and does not end as the files of these folders do, so that what a
 * crash leaves means nothing to anybody. */
static char *hidden_name(const char *full)
{
    g_autofree char *folder = g_path_get_dirname(full);
    g_autofree char *name = g_path_get_basename(full);
    return g_strdup_printf("%s/.%s.nestd", folder, name);
}

void nest_saved_file_sweep(const char *root, const char *path)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *hidden = hidden_name(full);
    unlink(hidden);
}

/* 0, or why not. */
static int replace(const char *full, const char *folder, const Content *content)
{
    g_autofree char *hidden = hidden_name(full);
    if (mkdir(folder, 0755) == 0 && chmod(folder, 0755) != 0)
        return errno;
    if (unlink(hidden) != 0 && errno != ENOENT)
        return errno;
    int fd = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    int code = fill(fd, content) ? 0 : errno;
    close(fd);
    if (code == 0 && rename(hidden, full) != 0)
        code = errno;
    if (code != 0)
        unlink(hidden);
    else if (!sync_folder(folder))
        code = errno;
    return code;
}

gboolean nest_saved_file_put(const char *root, const char *path, const char *saved, GError **error)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);
    g_auto(Content) content = {0};
    if (saved == NULL) {
        if (unlink(full) != 0 && errno != ENOENT)
            return fail(error, path, "removed", errno);
        return sync_folder(folder) ? TRUE : fail(error, path, "removed", errno);
    }
    if (!parse(saved, &content)) {
        nest_set_error(error, NEST_ERROR_INTERNAL, NULL, "what /%s shall be is not known", path);
        return FALSE;
    }
    int code = replace(full, folder, &content);
    return code == 0 ? TRUE : fail(error, path, "written", code);
}
