/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-progress.h"
#include "nest-spec.h"

gboolean nest_command_create(NestCli *cli, GError **error)
{
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestVmSpec) spec = nest_spec_from_arguments(cli->arguments, error);
    if (spec == NULL || !nest_client_create(cli->client, spec, &operation, NULL, error))
        return FALSE;
    g_autofree char *done = g_strdup_printf(
        "%s has been created. Start it with: nestctl start %s", spec->name, spec->name);
    if (operation != NULL)
        return nest_progress_follow(cli, operation, done, error);
    if (!nest_cli_answer(cli))
        nest_output_line(cli->output, "%s", done);
    return TRUE;
}
