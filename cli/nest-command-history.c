/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-quantity.h"
#include "nest-table.h"
#include "nest-text.h"

#define DEFAULT_LIMIT 50
#define MAX_LIMIT 1000

static void add_revision(NestTable *table, const NestRevision *revision)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, revision->id);
    g_autofree char *time = nest_text_time(revision->time);
    g_autofree char *operation = g_strdup_printf("%" G_GINT64_FORMAT, revision->operation);
    g_autofree char *user =
        revision->uid >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT, revision->uid) : g_strdup("–");
    nest_table_add(table, NEST_STYLE_PLAIN, id);
    nest_table_add(table, NEST_STYLE_PLAIN, revision->kind != NULL ? revision->kind : "–");
    nest_table_add(table, NEST_STYLE_PLAIN, time);
    nest_table_add(table, NEST_STYLE_PLAIN, operation);
    nest_table_add(table, NEST_STYLE_PLAIN, user);
    nest_table_add(table, NEST_STYLE_PLAIN, revision->summary != NULL ? revision->summary : "–");
}

/* Of the host for NULL. */
static gboolean show_history(NestCli *cli, const char *vm, GError **error)
{
    static const char *const headers[] = {"REV", "KIND", "DONE", "OPERATION", "USER", "WHAT"};
    gint64 limit = DEFAULT_LIMIT;
    if (cli->arguments->limit != NULL &&
        !nest_quantity_parse_number("--limit", cli->arguments->limit, 1, MAX_LIMIT, &limit, error))
        return FALSE;
    g_autoptr(GPtrArray) revisions =
        nest_client_history(cli->client, vm, limit, cli->cancellable, error);
    if (revisions == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    if (revisions->len == 0) {
        nest_output_line(cli->output, "nestd has not changed %s%s.",
            vm != NULL ? "the definition of " : "", vm != NULL ? vm : "this host");
        return TRUE;
    }
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < revisions->len; i++)
        add_revision(table, g_ptr_array_index(revisions, i));
    nest_table_print(table, cli->output);
    return TRUE;
}

gboolean nest_command_history(NestCli *cli, GError **error)
{
    return show_history(cli, cli->arguments->operands[0], error);
}

gboolean nest_command_host_history(NestCli *cli, GError **error)
{
    return show_history(cli, NULL, error);
}
