/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-view.h"
#include "nest-commands.h"
#include "nest-record.h"
#include "nest-table.h"
#include "nest-text.h"

static void add_vm(NestTable *table, const NestVmSummary *vm)
{
    g_autofree char *memory = nest_text_memory_range(vm->memory_min_kib, vm->memory_kib);
    g_autofree char *checks = nest_check_view_count(vm->failed, vm->warnings);
    char vcpus[16];
    g_snprintf(vcpus, sizeof vcpus, "%u", vm->vcpus);
    nest_table_add(table, NEST_STYLE_PLAIN, vm->name);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_vm_state_nicks, vm->state));
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_nesting_nicks, vm->nesting));
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_accel_nicks, vm->accel));
    nest_table_add(table, NEST_STYLE_PLAIN, memory);
    nest_table_add(table, NEST_STYLE_PLAIN, vcpus);
    nest_table_add(table, nest_check_view_style(vm->failed, vm->warnings), checks);
}

static void print_names(NestOutput *output, const GPtrArray *vms)
{
    for (guint i = 0; i < vms->len; i++)
        nest_output_line(output, "%s", ((const NestVmSummary *)g_ptr_array_index(vms, i))->name);
}

gboolean nest_command_list(NestCli *cli, GError **error)
{
    static const char *const headers[] = {
        "VM", "STATE", "NESTING", "BY", "MEMORY", "VCPUS", "CHECKS"};
    g_autoptr(GPtrArray) vms = nest_client_vms(cli->client, cli->cancellable, error);
    if (vms == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    if (cli->arguments->names) {
        print_names(cli->output, vms);
        return TRUE;
    }
    if (vms->len == 0) {
        nest_output_note(
            cli->output, "There are no virtual machines. Make one: nestctl help create");
        return TRUE;
    }
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < vms->len; i++)
        add_vm(table, g_ptr_array_index(vms, i));
    nest_table_print(table, cli->output);
    return TRUE;
}
