/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-proof-view.h"
#include "nest-record.h"

gboolean nest_command_prove(NestCli *cli, GError **error)
{
    const char *text = cli->arguments->accel;
    guint accel = NEST_ACCEL_AUTO;
    if (text != NULL && !nest_nick_parse(nest_accel_nicks, text, &accel)) {
        nest_set_error(
            error, NEST_ERROR_USAGE, NULL, "--accel must be auto, kvm or tcg, not \"%s\"", text);
        return FALSE;
    }
    NestProofWish wish = {.accel = accel};
    g_autoptr(NestProof) proof = nest_client_prove(cli->client, &wish, cli->cancellable, error);
    if (proof == NULL)
        return FALSE;
    if (!nest_cli_answer(cli))
        nest_proof_view_print(cli->output, proof);
    if (!proof->proved)
        nest_set_error(error, NEST_ERROR_CHECK_FAILED, "nestctl status says what is in the way",
            "nesting is not proved: %s", proof->code);
    return proof->proved;
}
