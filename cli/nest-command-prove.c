/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-proof-view.h"
#include "nest-record.h"

static gboolean judge(const NestProof *proof, GError **error)
{
    if (!proof->proved)
        nest_set_error(error, NEST_ERROR_CHECK_FAILED,
            proof->next != NULL ? proof->next : "nestctl status says what is in the way",
            "nesting is not proved: %s", proof->code);
    return proof->proved;
}

/* What to do about it. */
static void print_way(NestOutput *output, const NestProof *proof, const char *vm)
{
    if (proof->next != NULL)
        nest_output_line(output, "  → %s", proof->next);
    else if (!proof->proved)
        nest_output_line(
            output, "  → nestctl status%s%s", vm != NULL ? " " : "", vm != NULL ? vm : "");
}

static gboolean print(NestCli *cli, const NestProof *proof, const char *vm, GError **error)
{
    if (!nest_cli_answer(cli)) {
        nest_proof_view_print(cli->output, proof, vm);
        print_way(cli->output, proof, vm);
    }
    return judge(proof, error);
}

static gboolean prove_vm(NestCli *cli, const char *vm, GError **error)
{
    if (cli->arguments->accel != NULL) {
        nest_set_error(error, NEST_ERROR_USAGE, NULL,
            "--accel does not go with a virtual machine: its definition says what runs it");
        return FALSE;
    }
    g_autoptr(NestProof) proof = nest_client_prove_vm(cli->client, vm, cli->cancellable, error);
    if (proof == NULL)
        return FALSE;
    return print(cli, proof, vm, error);
}

static gboolean show_history(NestCli *cli, GError **error)
{
    if (cli->arguments->n_operands > 0 || cli->arguments->accel != NULL) {
        nest_set_error(error, NEST_ERROR_USAGE, NULL,
            "--history goes neither with a virtual machine nor with --accel: it shows all that was "
            "proved of this host");
        return FALSE;
    }
    g_autoptr(GPtrArray) proofs = nest_client_proof_history(cli->client, cli->cancellable, error);
    if (proofs == NULL)
        return FALSE;
    if (!nest_cli_answer(cli))
        nest_proof_view_print_history(cli->output, proofs);
    return TRUE;
}

gboolean nest_command_prove(NestCli *cli, GError **error)
{
    const char *text = cli->arguments->accel;
    guint accel = NEST_ACCEL_AUTO;
    if (cli->arguments->history)
        return show_history(cli, error);
    if (cli->arguments->n_operands > 0)
        return prove_vm(cli, cli->arguments->operands[0], error);
    if (text != NULL && !nest_nick_parse(nest_accel_nicks, text, &accel)) {
        nest_set_error(
            error, NEST_ERROR_USAGE, NULL, "--accel must be auto, kvm or tcg, not \"%s\"", text);
        return FALSE;
    }
    NestProofWish wish = {.accel = accel};
    g_autoptr(NestProof) proof = nest_client_prove(cli->client, &wish, cli->cancellable, error);
    if (proof == NULL)
        return FALSE;
    return print(cli, proof, NULL, error);
}
