/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-verification-view.h"

gboolean nest_command_verify(NestCli *cli, GError **error)
{
    const char *vm = cli->arguments->operands[0];
    g_autoptr(NestVerification) verification =
        nest_client_verify(cli->client, vm, cli->cancellable, error);
    if (verification == NULL)
        return FALSE;
    gboolean told = nest_cli_answer(cli);
    if (!told)
        nest_verification_view_print(cli->output, verification, vm);
    if (!told && !verification->verified)
        nest_output_line(cli->output, "  → nestctl status %s", vm);
    if (!verification->verified)
        nest_set_error(error, NEST_ERROR_CHECK_FAILED, "nestctl status says what is in the way",
            "nesting is not verified: %s", verification->code);
    return verification->verified;
}
