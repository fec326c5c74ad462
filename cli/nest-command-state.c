/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-force.h"
#include "nest-progress.h"
#include "nest-prompt.h"
#include "nest-quantity.h"

/* done and already follow the name. */
static gboolean report(NestCli *cli, const NestOperation *operation, const char *done,
    const char *already, GError **error)
{
    const char *vm = cli->arguments->operands[0];
    if (operation == NULL) {
        if (!nest_cli_answer(cli))
            nest_output_line(cli->output, "%s %s", vm, already);
        return TRUE;
    }
    g_autofree char *line =
        g_strdup_printf("%s %s", operation->name != NULL ? operation->name : vm, done);
    return nest_progress_follow(cli, operation, line, error);
}

static gboolean set_state(
    NestCli *cli, NestStateWish wish, const char *done, const char *already, GError **error)
{
    const char *vm = cli->arguments->operands[0];
    g_autoptr(NestOperation) operation = NULL;
    wish.force = wish.force || cli->arguments->force;
    wish.reason = cli->arguments->reason;
    if (!nest_force_check(cli->arguments, error) ||
        !nest_client_set_state(cli->client, vm, &wish, &operation, NULL, error))
        return FALSE;
    return report(cli, operation, done, already, error);
}

gboolean nest_command_start(NestCli *cli, GError **error)
{
    NestStateWish wish = {
        .state = NEST_VM_RUNNING, .discard_saved_state = cli->arguments->discard_saved_state};
    return set_state(cli, wish, "is running.", "is running already.", error);
}

gboolean nest_command_restore(NestCli *cli, GError **error)
{
    NestStateWish wish = {.state = NEST_VM_RUNNING, .restore = TRUE};
    return set_state(cli, wish, "is running.", "is running already.", error);
}

gboolean nest_command_shutdown(NestCli *cli, GError **error)
{
    NestStateWish wish = {.state = NEST_VM_OFF};
    return nest_quantity_parse_timeout(cli->arguments->timeout, &wish.timeout, error) &&
        set_state(cli, wish, "is off.", "is off already.", error);
}

gboolean nest_command_stop(NestCli *cli, GError **error)
{
    NestStateWish wish = {.state = NEST_VM_OFF, .force = TRUE};
    return set_state(cli, wish, "is off.", "is off already.", error);
}

static gboolean restart(NestCli *cli, gboolean reset, const char *done, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    NestRestartWish wish = {.reset = reset, .force = arguments->force, .reason = arguments->reason};
    g_autoptr(NestOperation) operation = NULL;
    return nest_force_check(arguments, error) &&
        nest_quantity_parse_timeout(arguments->timeout, &wish.timeout, error) &&
        nest_client_restart(cli->client, arguments->operands[0], &wish, &operation, NULL, error) &&
        report(cli, operation, done, done, error);
}

gboolean nest_command_reboot(NestCli *cli, GError **error)
{
    return restart(cli, FALSE, "has rebooted.", error);
}

gboolean nest_command_reset(NestCli *cli, GError **error)
{
    return restart(cli, TRUE, "has been reset.", error);
}

gboolean nest_command_save(NestCli *cli, GError **error)
{
    NestStateWish wish = {.state = NEST_VM_SAVED};
    return set_state(cli, wish, "is saved. The next start resumes it.", "is saved already.", error);
}

gboolean nest_command_pause(NestCli *cli, GError **error)
{
    NestStateWish wish = {.state = NEST_VM_PAUSED};
    return set_state(cli, wish, "is paused.", "is paused already.", error);
}

gboolean nest_command_resume(NestCli *cli, GError **error)
{
    NestStateWish wish = {.state = NEST_VM_RUNNING};
    return set_state(cli, wish, "is running.", "is running already.", error);
}

gboolean nest_command_memory(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    guint64 bytes = 0;
    g_autoptr(NestOperation) operation = NULL;
    if (!nest_force_check(arguments, error) ||
        !nest_quantity_parse_size(arguments->operands[1], &bytes, error))
        return FALSE;
    NestMemoryWish wish = {bytes >> 10, arguments->force, arguments->reason};
    if (!nest_client_set_memory(
            cli->client, arguments->operands[0], &wish, &operation, NULL, error))
        return FALSE;
    return report(cli, operation, "has that memory now.", "has that memory already.", error);
}

gboolean nest_command_delete(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestVm) vm = /* also to say at once if there is none */
        nest_client_vm(cli->client, arguments->operands[0], cli->cancellable, error);
    if (vm == NULL)
        return FALSE;
    g_autofree char *question =
        g_strdup_printf("Delete %s%s? This can't be taken back. [Y]es, [N]o:", vm->name,
            arguments->keep_disks ? ", but not its disks" : " and the disks nestd made for it");
    if (!arguments->yes && !nest_prompt_confirm(cli, question, error))
        return FALSE;
    /* By UUID: what is deleted is what was asked about, whatever has that name now. */
    if (!nest_client_delete(cli->client, vm->uuid, arguments->keep_disks, &operation, NULL, error))
        return FALSE;
    g_autofree char *done = g_strdup_printf("%s has been deleted.", vm->name);
    if (operation != NULL)
        return nest_progress_follow(cli, operation, done, error);
    if (!nest_cli_answer(cli))
        nest_output_line(cli->output, "%s", done);
    return TRUE;
}
