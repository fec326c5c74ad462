/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-store-private.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_SIZE 100
#define MAGIC "SQLite format 3"

static gboolean fail(const char *path, const char *what, int number, GError **error)
{
    gboolean full = number == ENOSPC || number == EDQUOT || number == EROFS;
    nest_set_error(error, full ? NEST_ERROR_STORE_FULL : NEST_ERROR_STORE,
        full ? "make its file system writable and free space on it"
             : "see that the path is right and that nestd may write there",
        "%s can't be %s: %s", path, what, g_strerror(number));
    return FALSE;
}

gboolean nest_store_directory(const char *directory, GError **error)
{
    struct stat status;
    if (stat(directory, &status) < 0) {
        /* The mode explicitly, because mkdir's depends on the umask. */
        if (g_mkdir_with_parents(directory, 0700) < 0 || chmod(directory, 0700) < 0 ||
            stat(directory, &status) < 0)
            return fail(directory, "created", errno, error);
    }
    if (!S_ISDIR(status.st_mode))
        return fail(directory, "used", ENOTDIR, error);
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        g_autofree char *next =
            g_strdup_printf("chown %u %s && chmod 700 %s", geteuid(), directory, directory);
        nest_set_error(error, NEST_ERROR_STORE, next,
            "%s can't be trusted with nestd's state: others than nestd can write to it", directory);
        return FALSE;
    }
    return TRUE;
}

static int open_private(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd >= 0 && fchmod(fd, 0600) == 0)
        return fd;
    int number = errno;
    if (fd >= 0)
        close(fd);
    fail(path, "opened", number, error);
    return -1;
}

static void fail_locked(int fd, const char *directory, GError **error)
{
    char holder[16] = {0};
    gboolean known = pread(fd, holder, sizeof(holder) - 1, 0) > 0;
    nest_set_error(error, NEST_ERROR_ALREADY_RUNNING,
        "use the nestd that runs, or stop it first (systemctl stop nestd)",
        "another nestd (process %s) uses %s", known ? g_strchomp(holder) : "unknown", directory);
}

int nest_store_lock(const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "lock", NULL);
    int fd = open_private(path, O_CREAT, error);
    if (fd < 0)
        return -1;
    /* flock, because a POSIX lock would be lost whenever this process closes the file. */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            fail_locked(fd, directory, error);
        else
            fail(path, "locked", errno, error);
        close(fd);
        return -1;
    }
    /* Only for the message above: nothing is lost where it can't be written. */
    g_autofree char *pid = g_strdup_printf("%d\n", getpid());
    gboolean written = ftruncate(fd, 0) == 0 && pwrite(fd, pid, strlen(pid), 0) > 0;
    (void)written;
    return fd;
}

gboolean nest_store_new_file(const char *path, GError **error)
{
    static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *old = g_strconcat(path, suffixes[i], NULL);
        if (unlink(old) < 0 && errno != ENOENT)
            return fail(old, "replaced", errno, error);
    }
    int fd = open_private(path, O_CREAT | O_EXCL, error);
    return fd >= 0 && g_close(fd, error);
}

static gboolean sync_path(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return failed == 0 || fail(path, "written to the disk", failed, error);
}

gboolean nest_store_publish(const char *from, const char *to, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(to);
    if (!sync_path(from, 0, error))
        return FALSE;
    if (rename(from, to) < 0)
        return fail(to, "created", errno, error);
    return sync_path(directory, O_DIRECTORY, error);
}

gboolean nest_store_check_identity(
    const char *path, gint64 application, gint64 version, guint newest, GError **error)
{
    if (application != NEST_STORE_APPLICATION_ID || version < 1) {
        nest_set_error(
            error, NEST_ERROR_STORE, NEST_SQL_MOVE_ASIDE, "%s is not a database of nestd", path);
        return FALSE;
    }
    if (version > newest) {
        nest_set_error(error, NEST_ERROR_STORE, "use the newer nestd or restore the backup",
            "%s was written by a newer nestd: it has version %" G_GINT64_FORMAT
            ", this program knows up to version %u",
            path, version, newest);
        return FALSE;
    }
    return TRUE;
}

static gint64 big_endian_32(const guint8 *bytes)
{
    guint32 value = 0;
    memcpy(&value, bytes, sizeof(value));
    return GUINT32_FROM_BE(value);
}

/* The fields: https://sqlite.org/fileformat2.html, section 1.3. */
gboolean nest_store_check_file(const char *path, guint newest, GError **error)
{
    guint8 header[HEADER_SIZE] = {0};
    int fd = open_private(path, 0, error);
    if (fd < 0)
        return FALSE;
    gssize size = pread(fd, header, sizeof(header), 0);
    int number = errno;
    close(fd);
    if (size < 0)
        return fail(path, "read", number, error);
    if (size < HEADER_SIZE || memcmp(header, MAGIC, sizeof(MAGIC)) != 0) {
        nest_set_error(error, NEST_ERROR_STORE, NEST_SQL_MOVE_ASIDE,
            "%s is not a database, or what is left of one", path);
        return FALSE;
    }
    return nest_store_check_identity(
        path, big_endian_32(header + 68), big_endian_32(header + 60), newest, error);
}
