/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-inner-view.h"
#include "nest-progress.h"
#include "nest-prompt.h"
#include "nest-quantity.h"
#include "nest-record.h"
#include "nest-spec.h"
#include "nest-table.h"

/* VMs inside VMs. */

static void add_vm(NestTable *table, const NestInnerVm *vm)
{
    g_autofree char *memory = nest_inner_view_memory(vm->memory_kib);
    g_autofree char *vcpus = nest_inner_view_vcpus(vm->vcpus);
    nest_table_add(table, NEST_STYLE_PLAIN, vm->name);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_vm_state_nicks, vm->state));
    nest_table_add(table, NEST_STYLE_PLAIN, memory);
    nest_table_add(table, NEST_STYLE_PLAIN, vcpus);
    nest_table_add(table, NEST_STYLE_PLAIN, vm->by);
    nest_table_add(table, NEST_STYLE_FAINT, vm->managed ? "" : vm->id);
}

static void print_none(NestCli *cli, const NestInnerVms *vms)
{
    g_autofree char *names = g_strjoinv(", ", vms->hypervisors);
    if (*names == '\0')
        nest_output_note(
            cli->output, "There is no hypervisor in the guest that nestd can ask, and no VM.");
    else
        nest_output_note(cli->output, "There are no VMs inside. Hypervisors: %s.", names);
}

static void print_vms(NestCli *cli, const NestInnerVms *vms)
{
    static const char *const headers[] = {"INNER VM", "STATE", "MEMORY", "VCPUS", "BY", ""};
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < vms->vms->len; i++)
        add_vm(table, g_ptr_array_index(vms->vms, i));
    nest_table_print(table, cli->output);
    if (vms->more > 0)
        nest_output_line(cli->output, "and %u more", vms->more);
}

gboolean nest_command_guest_list(NestCli *cli, GError **error)
{
    g_autoptr(NestInnerVms) vms =
        nest_client_inner(cli->client, cli->arguments->operands[0], cli->cancellable, error);
    if (vms == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    if (vms->vms->len > 0)
        print_vms(cli, vms);
    else
        print_none(cli, vms);
    nest_inner_view_remarks(cli->output, NEST_STYLE_CAUTION, NULL, vms->overcommitted);
    nest_inner_view_remarks(cli->output, NEST_STYLE_CAUTION, NULL, vms->warnings);
    return TRUE;
}

gboolean nest_command_guest_create_vm(NestCli *cli, GError **error)
{
    const char *vm = cli->arguments->operands[0];
    g_autoptr(NestOperation) operation = NULL;
    g_autoptr(NestInnerSpec) spec = nest_spec_inner(cli->arguments, error);
    if (spec == NULL || !nest_client_inner_create(cli->client, vm, spec, &operation, NULL, error))
        return FALSE;
    g_autofree char *done = spec->start
        ? g_strdup_printf("%s has been created in %s and started.", spec->name, vm)
        : g_strdup_printf("%s has been created in %s. Start it with: nestctl guest start %s %s",
              spec->name, vm, vm, spec->name);
    return nest_progress_follow(cli, operation, done, error);
}

static gboolean set_state(NestCli *cli, NestVmState state, const char *is, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    GStrv names = arguments->operands;
    NestInnerWish wish = {.state = state, .force = arguments->force, .by = arguments->by};
    g_autoptr(NestOperation) operation = NULL;
    if (!nest_quantity_parse_timeout(arguments->timeout, &wish.timeout, error) ||
        !nest_client_inner_set_state(
            cli->client, names[0], names[1], &wish, &operation, NULL, error))
        return FALSE;
    g_autofree char *done = g_strdup_printf("%s in %s is %s.", names[1], names[0], is);
    if (operation != NULL)
        return nest_progress_follow(cli, operation, done, error);
    if (!nest_cli_answer(cli))
        nest_output_line(cli->output, "%s in %s is %s already.", names[1], names[0], is);
    return TRUE;
}

gboolean nest_command_guest_start(NestCli *cli, GError **error)
{
    return set_state(cli, NEST_VM_RUNNING, "running", error);
}

gboolean nest_command_guest_stop(NestCli *cli, GError **error)
{
    return set_state(cli, NEST_VM_OFF, "off", error);
}

gboolean nest_command_guest_delete(NestCli *cli, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    const char *vm = arguments->operands[0], *name = arguments->operands[1];
    g_autoptr(NestOperation) operation = NULL;
    g_autofree char *question = g_strdup_printf(
        "Delete %s in %s and the disk made for it? This can't be taken back. [Y]es, [N]o:", name,
        vm);
    if ((!arguments->yes && !nest_prompt_confirm(cli, question, error)) ||
        !nest_client_inner_delete(cli->client, vm, name, arguments->by, &operation, NULL, error))
        return FALSE;
    g_autofree char *done = g_strdup_printf("%s in %s has been deleted.", name, vm);
    return nest_progress_follow(cli, operation, done, error);
}

gboolean nest_command_guest_console(NestCli *cli, GError **error)
{
    GStrv names = cli->arguments->operands;
    g_autoptr(NestInnerConsole) console = nest_client_inner_console(
        cli->client, names[0], names[1], cli->arguments->by, cli->cancellable, error);
    if (console == NULL)
        return FALSE;
    if (!nest_cli_answer(cli))
        nest_output_raw(cli->output, console->text);
    return TRUE;
}
