/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-force.h"
#include "nest-progress.h"
#include "nest-quantity.h"

gboolean nest_command_migrate(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    NestMigrationWish wish = {.to = arguments->operands[1],
        .offline = arguments->offline,
        .force = arguments->force,
        .reason = arguments->reason};
    g_autoptr(NestOperation) operation = NULL;
    if (!nest_force_check(arguments, error) ||
        !nest_quantity_parse_timeout(arguments->timeout, &wish.timeout, error))
        return FALSE;
    if (!nest_client_migrate(cli->client, arguments->operands[0], &wish, &operation, NULL, error))
        return FALSE;
    g_autofree char *line = g_strdup_printf("%s is there, and not here any more.",
        operation->name != NULL ? operation->name : arguments->operands[0]);
    return nest_progress_follow(cli, operation, line, error);
}
