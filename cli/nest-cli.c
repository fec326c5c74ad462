/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-cli.h"

gboolean nest_cli_answer(NestCli *cli)
{
    if (!nest_output_is_json(cli->output))
        return FALSE;
    nest_output_json(cli->output, nest_client_last_text(cli->client));
    return TRUE;
}
