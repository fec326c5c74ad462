/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-record.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* guest push and guest pull: files into a VM and out of it. */

#define SHOW_US (100 * 1000) /* between two looks at how far it is */

typedef struct {
    NestCli *cli;
    gint64 shown; /* monotonic */
    int fd; /* of a pull: where it goes */
    guint64 done;
} Transfer;

/* With a plain blank, where GLib puts one that does not break. */
static char *size_text(guint64 size)
{
    g_autofree char *text = g_format_size_full(size, G_FORMAT_SIZE_IEC_UNITS);
    g_auto(GStrv) words = g_strsplit(text, "\u00a0", -1);
    return g_strjoinv(" ", words);
}

static void show(Transfer *transfer, guint64 done, guint64 total)
{
    gint64 now = g_get_monotonic_time();
    if (now - transfer->shown < SHOW_US)
        return;
    transfer->shown = now;
    g_autofree char *much = size_text(done);
    g_autofree char *all = size_text(total);
    g_autofree char *text = total > 0 ? g_strdup_printf("%s of %s", much, all) : g_strdup(much);
    nest_output_transient(transfer->cli->output, text);
}

static gboolean failed(const char *path, const char *what, GError **error)
{
    nest_set_error(
        error, NEST_ERROR_USAGE, NULL, "%s can't be %s: %s", path, what, g_strerror(errno));
    return FALSE;
}

/* Says how it ended. */
static void tell(NestCli *cli, const NestFile *file, const char *what)
{
    static const char *const verified[] = {[NEST_VERIFIED_NONE] = "the guest could not tell more",
        [NEST_VERIFIED_SIZE] = "the guest says the same size",
        [NEST_VERIFIED_SHA256] = "the guest says the same SHA-256"};
    g_autofree char *size = size_text(file->size);
    if (nest_output_is_json(cli->output)) {
        g_autofree char *text = nest_codec_to_text(&nest_file_record, file);
        nest_output_json(cli->output, text);
        return;
    }
    nest_output_line(cli->output, "%s: %s %s; %s.", file->path, size, what,
        verified[MIN((guint)file->verified, NEST_VERIFIED_SHA256)]);
}

static gboolean check_mode(const char *mode, GError **error)
{
    gsize length = mode != NULL ? strlen(mode) : 0;
    if (mode == NULL || strcmp(mode, "keep") == 0 ||
        (length >= 1 && length <= 4 && strspn(mode, "01234567") == length))
        return TRUE;
    nest_set_error(error, NEST_ERROR_USAGE, "nestctl help guest push",
        "--mode takes octal digits, as 0644, or keep");
    return FALSE;
}

/* folder + name of path where folder is one. */
static gboolean is_in_windows(const char *path)
{
    return g_ascii_isalpha(path[0]) && path[1] == ':';
}

/* Of a path in a guest. */
static const char *name_of(const char *path)
{
    const char *name = strrchr(path, '/'), *other = strrchr(path, '\\');
    if (is_in_windows(path))
        name = MAX(name, other);
    return name != NULL ? name + 1 : path;
}

/* ---- push ---- */

/* What has no size, as a pipe, is read to its end first. */
static gboolean keep(int *io_fd, const char *path, GError **error)
{
    g_autofree guchar *chunk = g_malloc(65536);
    g_autofree char *name = NULL;
    gssize n = 0;
    int kept = g_file_open_tmp("nestctl-XXXXXX", &name, NULL);
    if (kept < 0)
        return failed(path, "kept", error);
    g_unlink(name);
    while ((n = read(*io_fd, chunk, 65536)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && !nest_output_write(kept, chunk, (gsize)n))
            break;
    gboolean good = n == 0 && lseek(kept, 0, SEEK_SET) == 0;
    if (!good)
        failed(path, "read", error);
    close(*io_fd);
    *io_fd = kept;
    return good;
}

static int open_local(const char *path, struct stat *ret_stat, GError **error)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    gboolean good = fd >= 0 && fstat(fd, ret_stat) == 0;
    if (good && S_ISDIR(ret_stat->st_mode)) {
        errno = EISDIR;
        good = FALSE;
    }
    if (!good)
        failed(path, "read", error);
    else if (!S_ISREG(ret_stat->st_mode) || lseek(fd, 0, SEEK_CUR) != 0)
        good = keep(&fd, path, error);
    if (good && fstat(fd, ret_stat) != 0)
        good = failed(path, "read", error);
    if (!good && fd >= 0)
        close(fd);
    return good ? fd : -1;
}

static void on_sent(guint64 done, guint64 total, gpointer user_data)
{
    show(user_data, done, total);
}

gboolean nest_command_guest_push(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    const char *local = arguments->operands[1], *remote = arguments->operands[2];
    gboolean keeps = g_strcmp0(arguments->mode, "keep") == 0;
    g_autofree char *name = g_path_get_basename(local);
    g_autofree char *path = g_strconcat(remote, *name_of(remote) == '\0' ? name : "", NULL);
    struct stat info;
    int fd = check_mode(arguments->mode, error) ? open_local(local, &info, error) : -1;
    if (fd < 0)
        return FALSE;
    g_autofree char *mode =
        keeps ? g_strdup_printf("%o", info.st_mode & 07777U) : g_strdup(arguments->mode);
    g_autoptr(GInputStream) data = g_unix_input_stream_new(fd, TRUE);
    Transfer transfer = {.cli = cli};
    g_autoptr(NestFile) file = nest_client_put_file(cli->client, arguments->operands[0], path, mode,
        data, (guint64)info.st_size, on_sent, &transfer, cli->cancellable, error);
    nest_output_transient(cli->output, NULL);
    cli->interrupted = file == NULL && g_cancellable_is_cancelled(cli->cancellable);
    if (file != NULL)
        tell(cli, file, "written");
    return file != NULL;
}

/* ---- pull ---- */

static gboolean on_piece(
    const guchar *data, gsize length, guint64 total, gpointer user_data, GError **error)
{
    Transfer *transfer = user_data;
    transfer->done += length;
    if (transfer->fd != STDOUT_FILENO)
        show(transfer, transfer->done, total);
    if (transfer->fd == STDOUT_FILENO && isatty(STDOUT_FILENO)) {
        g_autofree char *text = nest_output_tame(transfer->cli->output, (const char *)data, length);
        return nest_output_write(transfer->fd, (const guchar *)text, strlen(text)) ||
            failed("the file", "written", error);
    }
    return nest_output_write(transfer->fd, data, length) || failed("the file", "written", error);
}

static NestFile *pull(NestCli *cli, int fd, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    Transfer transfer = {.cli = cli, .fd = fd};
    NestFile *file = nest_client_get_file(cli->client, arguments->operands[0],
        arguments->operands[1], on_piece, &transfer, cli->cancellable, error);
    nest_output_transient(cli->output, NULL);
    cli->interrupted = file == NULL && g_cancellable_is_cancelled(cli->cancellable);
    return file;
}

/* As a file that is made anew, unless --mode says more. */
static mode_t mode_of(const NestArguments *arguments, const NestFile *file)
{
    const char *wanted = g_strcmp0(arguments->mode, "keep") == 0 ? file->mode : arguments->mode;
    mode_t mask = umask(0);
    umask(mask);
    return wanted != NULL ? (mode_t)g_ascii_strtoull(wanted, NULL, 8) : 0666 & ~mask;
}

static gboolean into_place(
    NestCli *cli, int fd, const char *part, const char *path, const NestFile *file, GError **error)
{
    gboolean good = fchmod(fd, mode_of(cli->arguments, file)) == 0 && fsync(fd) == 0 &&
        g_rename(part, path) == 0;
    return good || failed(path, "written", error);
}

static gboolean pull_into(NestCli *cli, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *part = g_build_filename(folder, ".nestctl-XXXXXX", NULL);
    int fd = g_mkstemp_full(part, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(path, "written", error);
    g_autoptr(NestFile) file = pull(cli, fd, error);
    gboolean good = file != NULL && into_place(cli, fd, part, path, file, error);
    if (!good)
        g_unlink(part);
    close(fd);
    if (good)
        tell(cli, file, "read");
    return good;
}

gboolean nest_command_guest_pull(NestCli *cli, GError **error)
{
    const char *remote = cli->arguments->operands[1], *local = cli->arguments->operands[2];
    g_autofree char *path = g_file_test(local, G_FILE_TEST_IS_DIR)
        ? g_build_filename(local, name_of(remote), NULL)
        : g_strdup(local);
    if (!check_mode(cli->arguments->mode, error))
        return FALSE;
    if (strcmp(local, "-") != 0)
        return pull_into(cli, path, error);
    g_autoptr(NestFile) file = pull(cli, STDOUT_FILENO, error);
    return file != NULL;
}
