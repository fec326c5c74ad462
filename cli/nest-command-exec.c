/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX (700 * 1024) /* that base64 fits into a request */
#define STATUS_MAX 255
#define STATUS_SIGNAL 128 /* as a shell shows an end by a signal */

/* On a terminal nothing of a guest may be anything but text. */
static gboolean put(NestOutput *output, int fd, const char *base64)
{
    gsize length = 0;
    if (base64 == NULL)
        return TRUE;
    g_autofree guchar *data = g_base64_decode(base64, &length);
    if (!isatty(fd))
        return nest_output_write(fd, data, length);
    g_autofree char *text = nest_output_tame(output, (const char *)data, length);
    return nest_output_write(fd, (const guchar *)text, strlen(text));
}

/* Whose output nobody takes must not run on. */
static gboolean on_output(
    const NestExecOutput *output, const char *text, gpointer user_data, GError **error)
{
    NestCli *cli = user_data;
    gboolean good = nest_output_is_json(cli->output)
        ? nest_output_json_now(cli->output, text)
        : put(cli->output, STDOUT_FILENO, output->out) &&
            put(cli->output, STDERR_FILENO, output->err);
    if (good)
        return TRUE;
    cli->unread = errno == EPIPE;
    nest_set_error(
        error, NEST_ERROR_INTERNAL, NULL, "the output could not be written: %s", g_strerror(errno));
    return FALSE;
}

static gboolean read_fd(int fd, GByteArray *data, GError **error)
{
    g_autofree guchar *chunk = g_malloc(65536);
    gssize n;
    while ((n = read(fd, chunk, 65536)) > 0 && data->len <= INPUT_MAX)
        g_byte_array_append(data, chunk, (guint)n);
    if (n >= 0 && data->len <= INPUT_MAX)
        return TRUE;
    if (n < 0)
        nest_set_error(
            error, NEST_ERROR_USAGE, NULL, "the input can't be read: %s", g_strerror(errno));
    else
        nest_set_error(
            error, NEST_ERROR_TOO_LARGE, NULL, "the input has more than %d KiB", INPUT_MAX / 1024);
    return FALSE;
}

/* *ret_text: base64, NULL where no input is wanted. */
static gboolean read_input(const char *path, char **ret_text, GError **error)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    if (path == NULL)
        return TRUE;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        nest_set_error(
            error, NEST_ERROR_USAGE, NULL, "%s can't be read: %s", path, g_strerror(errno));
        return FALSE;
    }
    gboolean good = read_fd(fd, data, error);
    if (fd != STDIN_FILENO)
        close(fd);
    if (good)
        *ret_text = g_base64_encode(data->data, data->len);
    return good;
}

/* Windows has larger ones than a process here can end with. None that is a failure becomes 0. */
static int exit_status(gint64 status, guint signal)
{
    if (signal > 0)
        return STATUS_SIGNAL + (int)signal;
    int low = (int)(status & STATUS_MAX);
    return status != 0 && low == 0 ? STATUS_MAX : low;
}

gboolean nest_command_exec(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    GStrv command = arguments->operands + 1;
    g_autofree char *input = NULL;
    gint64 status = 0;
    guint signal = 0;
    if (strcmp(*command, "--") == 0)
        command++;
    if (!read_input(arguments->input, &input, error))
        return FALSE;
    NestExecWish wish = {command, arguments->env, arguments->cwd, input, arguments->shell};
    if (!nest_client_exec(cli->client, arguments->operands[0], &wish, on_output, cli, &status,
            &signal, cli->cancellable, error)) {
        cli->interrupted = g_cancellable_is_cancelled(cli->cancellable);
        return FALSE;
    }
    cli->status = exit_status(status, signal);
    return TRUE;
}
