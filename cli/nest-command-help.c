/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-help.h"

gboolean nest_command_help(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    if (arguments->commands) {
        nest_help_commands(cli->output);
        return TRUE;
    }
    if (arguments->n_operands == 0) {
        nest_help_overview(cli->output);
        return TRUE;
    }
    const NestCommand *command = nest_commands_find(arguments->operands[0]);
    if (command == NULL) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help", "there is no command \"%s\"",
            arguments->operands[0]);
        return FALSE;
    }
    nest_help_command(cli->output, command);
    return TRUE;
}
