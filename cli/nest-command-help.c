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
    if (arguments->n_operands == 1 && nest_help_group(cli->output, arguments->operands[0]))
        return TRUE;
    guint used = 0;
    const NestCommand *command = nest_commands_find_words(arguments->operands, &used);
    if (command == NULL || used < arguments->n_operands) {
        nest_commands_refuse(arguments->operands, error);
        return FALSE;
    }
    nest_help_command(cli->output, command);
    return TRUE;
}
