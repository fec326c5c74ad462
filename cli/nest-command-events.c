/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-quantity.h"
#include "nest-text.h"

static gboolean on_event(const NestEvent *event, const char *text, gpointer user_data)
{
    const NestCli *cli = user_data;
    if (nest_output_is_json(cli->output)) {
        nest_output_json(cli->output, text);
    } else {
        g_autofree char *time = nest_text_time(event->time);
        g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, event->id);
        nest_output_cell(cli->output, NEST_STYLE_FAINT, 21, time);
        nest_output_cell(cli->output, NEST_STYLE_FAINT, 7, id);
        nest_output_line(cli->output, "%s%s%s", event->name != NULL ? event->name : "",
            event->name != NULL ? ": " : "", event->message != NULL ? event->message : event->kind);
    }
    if (cli->arguments->follow)
        nest_output_flush(cli->output);
    return TRUE;
}

gboolean nest_command_events(NestCli *cli, GError **error)
{
    gint64 after = -1;
    if (cli->arguments->after != NULL &&
        !nest_quantity_parse_number("--after", cli->arguments->after, 0, G_MAXINT64, &after, error))
        return FALSE;
    return nest_client_events(
        cli->client, after, cli->arguments->follow, on_event, cli, cli->cancellable, error);
}
