/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-progress.h"
#include "nest-record.h"

static gboolean show(NestCli *cli, const char *name, GError **error)
{
    g_autoptr(NestVm) vm = nest_client_vm(cli->client, name, cli->cancellable, error);
    if (vm == NULL)
        return FALSE;
    if (!nest_cli_answer(cli))
        nest_output_line(
            cli->output, "%s is %s.", vm->name, nest_nick(nest_trust_nicks, vm->trust));
    return TRUE;
}

gboolean nest_command_trust(NestCli *cli, GError **error)
{
    char **operands = cli->arguments->operands;
    guint trust = NEST_TRUST_TRUSTED;
    g_autoptr(NestOperation) operation = NULL;
    if (operands[1] == NULL)
        return show(cli, operands[0], error);
    if (!nest_nick_parse(nest_trust_nicks, operands[1], &trust)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help trust",
            "a label is trusted or untrusted, not \"%s\"", operands[1]);
        return FALSE;
    }
    NestTrustWish wish = {trust};
    if (!nest_client_set_trust(cli->client, operands[0], &wish, &operation, NULL, error))
        return FALSE;
    if (operation == NULL) {
        if (!nest_cli_answer(cli))
            nest_output_line(cli->output, "%s is %s already.", operands[0], operands[1]);
        return TRUE;
    }
    g_autofree char *line = g_strdup_printf(
        "%s is %s.", operation->name != NULL ? operation->name : operands[0], operands[1]);
    return nest_progress_follow(cli, operation, line, error);
}
