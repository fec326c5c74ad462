/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-quantity.h"
#include "nest-text.h"
#include <errno.h>

/* The message with the VM's name before it, unless it begins with that. */
static char *tell(const NestEvent *event)
{
    const char *message = event->message != NULL ? event->message : event->kind;
    if (event->name == NULL || g_str_has_prefix(message, event->name))
        return g_strdup(message);
    return g_strdup_printf("%s: %s", event->name, message);
}

static gboolean on_event(const NestEvent *event, const char *text, gpointer user_data)
{
    NestCli *cli = user_data;
    if (nest_output_is_json(cli->output)) {
        nest_output_json(cli->output, text);
    } else {
        g_autofree char *time = nest_text_time(event->time);
        g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, event->id);
        nest_output_cell(cli->output, NEST_STYLE_FAINT, 21, time);
        nest_output_cell(cli->output, NEST_STYLE_FAINT, 7, id);
        g_autofree char *told = tell(event);
        nest_output_line(cli->output, "%s", told);
    }
    if (!cli->arguments->follow || nest_output_flush(cli->output))
        return TRUE;
    cli->unread = errno == EPIPE;
    return FALSE;
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
