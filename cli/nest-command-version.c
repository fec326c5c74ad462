/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"

static void print_about(NestOutput *output, const NestAbout *about)
{
    nest_output_line(output, "nestd %s, hypervisor %s%s%s", about->version,
        about->backend != NULL ? about->backend : "unknown", about->backend_uri != NULL ? ": " : "",
        about->backend_uri != NULL ? about->backend_uri : "");
    if (about->problem != NULL && about->problem->detail != NULL)
        nest_output_line(output, "  %s", about->problem->detail);
}

gboolean nest_command_version(NestCli *cli, GError **error)
{
    g_autoptr(NestAbout) about = NULL;
    if (!nest_output_is_json(cli->output))
        nest_output_line(cli->output, "nestctl %s", NEST_VERSION);
    about = nest_client_about(cli->client, cli->cancellable, error);
    if (about == NULL)
        return FALSE;
    if (!nest_cli_answer(cli))
        print_about(cli->output, about);
    return TRUE;
}
