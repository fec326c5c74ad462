/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-definition.h"
#include "nest-error.h"
#include "nest-record.h"

/* For libvirt's hook: what others may do to a VM that may nest. */

static gboolean read_wish(const NestArguments *arguments, NestGuardWish *wish, GError **error)
{
    guint kind = 0;
    if (!nest_nick_parse(nest_outside_nicks, arguments->operands[0], &kind)) {
        nest_set_error(error, NEST_ERROR_USAGE, "nestctl help guard",
            "there is no operation \"%s\"", arguments->operands[0]);
        return FALSE;
    }
    if (arguments->xml == NULL) {
        nest_set_error(
            error, NEST_ERROR_USAGE, "nestctl help guard", "guard needs --xml with a file");
        return FALSE;
    }
    wish->operation = kind;
    wish->xml = nest_definition_read(arguments->xml, error);
    return wish->xml != NULL;
}

gboolean nest_command_guard(NestCli *cli, GError **error)
{
    NestGuardWish wish = {0};
    if (!read_wish(cli->arguments, &wish, error))
        return FALSE;
    G_GNUC_UNUSED g_autofree char *xml = wish.xml;
    g_autoptr(NestAction) action = nest_client_guard(cli->client, &wish, cli->cancellable, error);
    if (action == NULL)
        return FALSE;
    gboolean json = nest_cli_answer(cli);
    if (action->say >= NEST_ACTION_REFUSE) {
        nest_set_error(error, NEST_ERROR_VM_STATE, action->next, "%s",
            action->reason != NULL ? action->reason : "nestd refuses without saying why");
        g_autofree char *check = g_strconcat("guard.", action->id, NULL);
        nest_error_set_check(*error, check);
        return FALSE;
    }
    if (!json)
        nest_output_line(cli->output, "%s", action->reason != NULL ? action->reason : "Allowed.");
    return TRUE;
}
