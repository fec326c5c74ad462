/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-commands.h"
#include "nest-inner-view.h"
#include "nest-record.h"
#include "nest-table.h"

typedef struct {
    const char *child, *last; /* before a name */
    const char *on, *over; /* below a child that is followed by others, and below the last */
} Lines;

static const Lines unicode_lines = {"├─ ", "└─ ", "│  ", "   "};
static const Lines ascii_lines = {"|- ", "`- ", "|  ", "   "};

static void add_name(
    NestTable *table, NestStyle style, const char *before, const char *branch, const char *name)
{
    g_autofree char *text = g_strconcat(before, branch, name, NULL);
    nest_table_add(table, style, text);
}

static void add_inner(
    NestTable *table, const char *before, const char *branch, const NestInnerVm *vm)
{
    g_autofree char *memory = nest_inner_view_memory(vm->memory_kib);
    g_autofree char *vcpus = nest_inner_view_vcpus(vm->vcpus);
    add_name(table, NEST_STYLE_PLAIN, before, branch, vm->name);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_vm_state_nicks, vm->state));
    nest_table_add(table, NEST_STYLE_PLAIN, "");
    nest_table_add(table, NEST_STYLE_PLAIN, memory);
    nest_table_add(table, NEST_STYLE_PLAIN, vcpus);
    nest_table_add(table, NEST_STYLE_PLAIN, vm->by);
}

static void add_more(NestTable *table, const char *before, const char *branch, guint more)
{
    g_autofree char *text = g_strdup_printf("%u more", more);
    add_name(table, NEST_STYLE_FAINT, before, branch, text);
    for (guint i = 0; i < 5; i++)
        nest_table_add(table, NEST_STYLE_PLAIN, "");
}

static void add_inside(
    NestTable *table, const Lines *lines, const char *before, const NestInnerVms *inner)
{
    for (guint i = 0; i < inner->vms->len; i++) {
        gboolean last = i + 1 == inner->vms->len && inner->more == 0;
        add_inner(table, before, last ? lines->last : lines->child, inner->vms->pdata[i]);
    }
    if (inner->more > 0)
        add_more(table, before, lines->last, inner->more);
}

/* What it has, and of that what those inside hold. */
static char *with_inner(char *own, const NestTreeSum *active, gboolean memory)
{
    if (active == NULL || active->count == 0)
        return own;
    g_autofree char *taken = own;
    g_autofree char *inside =
        memory ? nest_inner_view_memory(active->memory_kib) : nest_inner_view_vcpus(active->vcpus);
    return g_strdup_printf("%s, %s inside", taken, inside);
}

static void add_vm(NestTable *table, const Lines *lines, const NestTreeVm *vm, gboolean last)
{
    const NestTreeSum *active = vm->inner != NULL ? vm->inner->active : NULL;
    g_autofree char *memory = with_inner(nest_inner_view_memory(vm->memory_kib), active, TRUE);
    g_autofree char *vcpus = with_inner(nest_inner_view_vcpus(vm->vcpus), active, FALSE);
    gboolean over =
        vm->inner != NULL && vm->inner->overcommitted != NULL && *vm->inner->overcommitted != NULL;
    NestStyle style = over ? NEST_STYLE_CAUTION : NEST_STYLE_PLAIN;
    const char *live = vm->activity == NEST_ACTIVITY_NONE
        ? nest_nick(nest_nesting_nicks, vm->nesting)
        : nest_nick(nest_activity_nicks, vm->activity);
    add_name(table, NEST_STYLE_BOLD, "", last ? lines->last : lines->child, vm->name);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_vm_state_nicks, vm->state));
    nest_table_add(table, NEST_STYLE_PLAIN, live);
    nest_table_add(table, style, memory);
    nest_table_add(table, style, vcpus);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_accel_nicks, vm->accel));
    if (vm->inner != NULL)
        add_inside(table, lines, last ? lines->over : lines->on, vm->inner);
}

static void add_host(NestTable *table, const NestTree *tree)
{
    g_autofree char *held = nest_inner_view_memory(tree->active->memory_kib);
    g_autofree char *there = nest_inner_view_memory(tree->memory_kib);
    g_autofree char *memory =
        g_strdup_printf("%s, %s in VMs", there, tree->active->memory_kib > 0 ? held : "none");
    g_autofree char *vcpus = g_strdup_printf("%u, %u in VMs", tree->cpus, tree->active->vcpus);
    gboolean over = tree->overcommitted != NULL && *tree->overcommitted != NULL;
    NestStyle style = over ? NEST_STYLE_CAUTION : NEST_STYLE_PLAIN;
    nest_table_add(table, NEST_STYLE_BOLD, tree->name != NULL ? tree->name : "host");
    nest_table_add(table, NEST_STYLE_PLAIN, "");
    nest_table_add(table, NEST_STYLE_PLAIN, "");
    nest_table_add(table, style, memory);
    nest_table_add(table, style, vcpus);
    nest_table_add(table, NEST_STYLE_PLAIN, tree->hypervisor != NULL ? tree->hypervisor : "");
}

#define NAMES_MAX 5

/* One line for each reason, with those it is the reason for. */
static void print_unknown(NestOutput *output, const GPtrArray *vms, guint first, GHashTable *told)
{
    const char *reason = ((const NestTreeVm *)g_ptr_array_index(vms, first))->inner_unknown;
    g_autoptr(GString) names = g_string_new(NULL);
    guint n = 0;
    if (!g_hash_table_add(told, (gpointer)reason))
        return;
    for (guint i = first; i < vms->len; i++) {
        const NestTreeVm *vm = g_ptr_array_index(vms, i);
        if (g_strcmp0(vm->inner_unknown, reason) == 0 && n++ < NAMES_MAX)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", vm->name);
    }
    if (n > NAMES_MAX)
        g_string_append_printf(names, " and %u more", n - NAMES_MAX);
    g_autofree char *text = g_strdup_printf("what is inside is not known: %s", reason);
    nest_inner_view_remark(output, NEST_STYLE_PLAIN, names->str, text);
}

static void print_remarks(NestOutput *output, const NestTree *tree)
{
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    nest_inner_view_remarks(output, NEST_STYLE_CAUTION, tree->name, tree->overcommitted);
    for (guint i = 0; i < tree->vms->len; i++) {
        const NestTreeVm *vm = g_ptr_array_index(tree->vms, i);
        if (vm->inner != NULL) {
            nest_inner_view_remarks(output, NEST_STYLE_CAUTION, vm->name, vm->inner->overcommitted);
            nest_inner_view_remarks(output, NEST_STYLE_CAUTION, vm->name, vm->inner->warnings);
        }
        if (vm->inner_unknown != NULL)
            print_unknown(output, tree->vms, i, told);
    }
}

gboolean nest_command_tree(NestCli *cli, GError **error)
{
    static const char *const headers[] = {"NAME", "STATE", "NESTING", "MEMORY", "CPUS", "BY"};
    g_autoptr(NestTree) tree =
        nest_client_tree(cli->client, cli->arguments->operands[0], cli->cancellable, error);
    if (tree == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    const Lines *lines = nest_output_has_unicode(cli->output) ? &unicode_lines : &ascii_lines;
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    add_host(table, tree);
    for (guint i = 0; i < tree->vms->len; i++)
        add_vm(table, lines, g_ptr_array_index(tree->vms, i), i + 1 == tree->vms->len);
    nest_table_print(table, cli->output);
    print_remarks(cli->output, tree);
    return TRUE;
}
