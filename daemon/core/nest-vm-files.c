/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-vm-files.h"
#include "nest-error.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONSOLE_MAX (16 * 1024 * 1024)

static char *path_of(
    const NestConfig *config, const char *folder, const char *uuid, const char *ending)
{
    g_autofree char *name = g_strconcat(uuid, ending, NULL);
    return g_build_filename(config->state_directory, folder, name, NULL);
}

char *nest_vm_files_disk(const NestConfig *config, const char *uuid)
{
    return path_of(config, "disks", uuid, ".qcow2");
}

char *nest_vm_files_console(const NestConfig *config, const char *uuid)
{
    return path_of(config, "console", uuid, ".log");
}

static gboolean fail(GError **error, const char *what, const char *path)
{
    int problem = errno;
    NestErrorCode code = problem == ENOSPC || problem == EDQUOT || problem == EROFS
        ? NEST_ERROR_STORE_FULL
        : NEST_ERROR_STORE;
    nest_set_error(error, code, NULL, "%s %s: %s", what, path, g_strerror(problem));
    return FALSE;
}

/* The folder of path; others may pass through it (QEMU does not run as us), not list it. */
static gboolean make_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_mkdir(folder, 0711) == 0)
        return chmod(folder, 0711) == 0 || fail(error, "can't set the mode of", folder);
    return errno == EEXIST || fail(error, "can't make", folder);
}

/* A new, empty file: what is there already, a link too, is left alone. */
static gboolean make_file(const char *path, GError **error)
{
    if (!make_folder(path, error))
        return FALSE;
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(error, "can't make", path);
    close(fd);
    return TRUE;
}

/* path is a file or a folder. */
static gboolean make_durable(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int problem = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    errno = problem;
    return problem == 0 || fail(error, "can't write out", path);
}

/* A file of a VM that is told to be there outlives a power cut. */
static gboolean make_file_durable(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    return make_durable(path, error) && make_durable(folder, error);
}

/* A qemu-img that outlived nestd would make the disk again after recovery had removed it. */
static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean run_qemu_img(const char *path, guint64 bytes, GError **error)
{
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
    g_autofree char *output = NULL;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_set_child_setup(launcher, die_with_parent, NULL, NULL);
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawn(
        launcher, &problem, "qemu-img", "create", "-q", "-f", "qcow2", path, size, NULL);
    if (process == NULL) {
        nest_set_error(error, NEST_ERROR_HOST_UNFIT, "install qemu-utils",
            "qemu-img can't be run: %s", problem->message);
        return FALSE;
    }
    if (g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &output, &problem) &&
        g_subprocess_get_successful(process))
        return TRUE;
    nest_set_error(error, NEST_ERROR_STORE, "is there space left?", "no disk was made: %s",
        problem != NULL ? problem->message : g_strstrip(output));
    return FALSE;
}

gboolean nest_vm_files_make_disk(
    const NestConfig *config, const char *uuid, guint64 bytes, GError **error)
{
    g_autofree char *path = nest_vm_files_disk(config, uuid);
    if (!make_file(path, error))
        return FALSE;
    if (run_qemu_img(path, bytes, error) && make_file_durable(path, error))
        return TRUE;
    g_unlink(path);
    return FALSE;
}

gboolean nest_vm_files_make_console(const NestConfig *config, const char *uuid, GError **error)
{
    g_autofree char *path = nest_vm_files_console(config, uuid);
    return make_file(path, error) && make_file_durable(path, error);
}

static gboolean remove_file(const char *path, GError **error)
{
    return g_unlink(path) == 0 || errno == ENOENT || fail(error, "can't remove", path);
}

gboolean nest_vm_files_remove(
    const NestConfig *config, const char *uuid, gboolean keep_disk, GError **error)
{
    g_autofree char *disk = nest_vm_files_disk(config, uuid);
    g_autofree char *console = nest_vm_files_console(config, uuid);
    return (keep_disk || remove_file(disk, error)) && remove_file(console, error);
}

void nest_vm_files_trim_consoles(const NestConfig *config)
{
    g_autofree char *folder = g_build_filename(config->state_directory, "console", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat status;
        if (fd < 0)
            continue;
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > CONSOLE_MAX &&
            ftruncate(fd, 0) != 0)
            g_debug("%s can't be emptied: %s", path, g_strerror(errno));
        close(fd);
    }
}
