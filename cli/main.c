/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-help.h"
#include "nest-interrupt.h"
#include "nest-remote.h"
#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* As a shell would show a process that Ctrl-C ended. */
#define EXIT_INTERRUPTED 130
/* As one that SIGPIPE ended, which GLib has ignored. */
#define EXIT_UNREAD 141

static gboolean run_command(const NestCommand *command, NestCli *cli, GError **error)
{
    g_autoptr(GCancellable) cancellable =
        command->flags & NEST_COMMAND_CHANGES ? nest_interrupt_catch() : NULL;
    g_autoptr(NestClient) client = NULL;
    if (!(command->flags & NEST_COMMAND_LOCAL))
        client = nest_client_new(cli->arguments->socket);
    cli->cancellable = cancellable;
    cli->client = client;
    gboolean ok = command->run(cli, error);
    if (!ok && cancellable != NULL && g_cancellable_is_cancelled(cancellable) &&
        nest_error_code(*error) == NEST_ERROR_DECLINED)
        cli->interrupted = TRUE;
    cli->client = NULL;
    cli->cancellable = NULL;
    return ok;
}

static gboolean run(NestCli *cli, const NestCommand *command, GStrv words, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    if (arguments->version) {
        nest_output_line(cli->output, "nestctl %s", NEST_VERSION);
        return TRUE;
    }
    if (command == NULL && arguments->host == NULL) {
        nest_help_overview(cli->output);
        if (arguments->help)
            return TRUE;
        nest_set_error(error, NEST_ERROR_USAGE, NULL, "no command is given");
        return FALSE;
    }
    if (command != NULL && arguments->help) {
        nest_help_command(cli->output, command);
        return TRUE;
    }
    if (arguments->host != NULL && (command == NULL || !(command->flags & NEST_COMMAND_LOCAL))) {
        nest_remote_run(arguments->host, words, nest_output_has_color(cli->output), error);
        return FALSE;
    }
    return run_command(command, cli, error);
}

/* Words that can't be understood have an answer in the form that was asked for all the same. */
static gboolean asks_json(char **words)
{
    for (guint i = 1; words[i] != NULL && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--json") == 0)
            return TRUE;
    return FALSE;
}

static int end(NestCli *cli, GError *error)
{
    g_autoptr(GError) unwritten = NULL;
    if (cli->unread)
        return EXIT_UNREAD;
    if (error != NULL)
        nest_help_error(cli->output, error);
    if (!nest_output_finish(cli->output, &unwritten) && error == NULL) {
        if (nest_output_is_unread(cli->output))
            return EXIT_UNREAD;
        nest_output_error(cli->output, unwritten);
        return nest_error_exit_status(nest_error_code(unwritten));
    }
    if (cli->interrupted)
        return EXIT_INTERRUPTED;
    return error != NULL ? nest_error_exit_status(nest_error_code(error)) : cli->status;
}

int main(int argc, char **argv)
{
    NestArguments arguments = {0};
    NestCli cli = {.arguments = &arguments};
    const NestCommand *command = NULL;
    g_autoptr(GError) error = NULL;
    setlocale(LC_ALL, "");
    if (argc < 1)
        return EXIT_FAILURE;
    gboolean ok = nest_commands_parse(argv, &arguments, &command, &error);
    arguments.json |= !ok && asks_json(argv);
    g_autoptr(NestOutput) output = nest_output_new(arguments.json, arguments.no_color);
    cli.output = output;
    if (ok)
        run(&cli, command, argv, &error);
    int status = end(&cli, error);
    nest_arguments_clear(&arguments);
    return status;
}
