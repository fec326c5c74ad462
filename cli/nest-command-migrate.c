/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-force.h"
#include "nest-progress.h"
#include "nest-quantity.h"

#define MAX_TIMEOUT (24 * 60 * 60)

gboolean nest_command_migrate(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    NestMigrationWish wish = {.to = arguments->operands[1],
        .offline = arguments->offline,
        .force = arguments->force,
        .reason = arguments->reason};
    g_autoptr(NestOperation) operation = NULL;
    gint64 timeout = 0;
    if (!nest_force_check(arguments, error))
        return FALSE;
    if (arguments->timeout != NULL &&
        !nest_quantity_parse_number(
            "--timeout", arguments->timeout, 1, MAX_TIMEOUT, &timeout, error))
        return FALSE;
    wish.timeout = timeout;
    if (!nest_client_migrate(cli->client, arguments->operands[0], &wish, &operation, NULL, error))
        return FALSE;
    g_autofree char *line = g_strdup_printf("%s is there, and not here any more.",
        operation->name != NULL ? operation->name : arguments->operands[0]);
    return nest_progress_follow(cli, operation, line, error);
}
