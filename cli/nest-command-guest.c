/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-record.h"

#define LABEL_WIDTH 16

static void row(NestOutput *output, const char *label, const char *text)
{
    nest_output_cell(output, NEST_STYLE_PLAIN, LABEL_WIDTH, label);
    nest_output_wrapped(
        output, NEST_STYLE_PLAIN, LABEL_WIDTH, text != NULL ? text : "it does not say");
}

static void print_blocked(NestOutput *output, const NestGuest *guest)
{
    if (guest->blocked == NULL || *guest->blocked == NULL)
        return;
    g_autofree char *names = g_strjoinv(", ", guest->blocked);
    row(output, "blocked", names);
    nest_output_text(output, NEST_STYLE_BOLD, "to change it    ");
    g_autofree char *how =
        g_strdup_printf("in the guest: %s; then restart the agent", guest->blocked_setting);
    nest_output_wrapped(output, NEST_STYLE_PLAIN, LABEL_WIDTH, how);
}

gboolean nest_command_guest_info(NestCli *cli, GError **error)
{
    g_autoptr(NestGuest) guest =
        nest_client_guest(cli->client, cli->arguments->operands[0], cli->cancellable, error);
    if (guest == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    row(cli->output, "system", guest->os);
    row(cli->output, "family", nest_nick(nest_guest_family_nicks, guest->family));
    row(cli->output, "kernel", guest->kernel);
    row(cli->output, "machine", guest->machine);
    row(cli->output, "agent", guest->agent_version);
    row(cli->output, "runs commands", guest->exec ? "yes" : "no");
    row(cli->output, "takes files", guest->exec && guest->write ? "yes" : "no");
    print_blocked(cli->output, guest);
    return TRUE;
}
