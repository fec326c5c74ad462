/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-view.h"
#include "nest-commands.h"
#include "nest-proof-view.h"
#include "nest-record.h"
#include "nest-text.h"
#include "nest-verification-view.h"

#define LABEL_WIDTH 16

static void row(NestOutput *output, const char *label, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    nest_output_cell(output, NEST_STYLE_PLAIN, LABEL_WIDTH, label);
    nest_output_wrapped(output, NEST_STYLE_PLAIN, LABEL_WIDTH, text);
}

static void row_number(NestOutput *output, const char *label, gint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    row(output, label, text);
}

static const char *yes_no(gboolean value)
{
    return value ? "yes" : "no";
}

static void print_interface(NestOutput *output, const NestInterface *interface)
{
    const char *parts[] = {interface->source, interface->mac, interface->target};
    g_autoptr(GString) text = g_string_new(interface->type != NULL ? interface->type : "?");
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i] != NULL)
            g_string_append_printf(text, " %s", parts[i]);
    if (interface->filter != NULL)
        g_string_append_printf(text, ", filter %s", interface->filter);
    row(output, "interface", text->str);
}

static const char *const live_texts[] = {
    [NEST_ACTIVITY_UNKNOWN] = "unknown: it may host inner VMs",
    [NEST_ACTIVITY_OFF] = "off: it has no virtualization extension",
    [NEST_ACTIVITY_EXPOSED] = "exposed: it has the extension and has not switched it on",
    [NEST_ACTIVITY_ARMED] = "armed: a hypervisor is ready in it",
    [NEST_ACTIVITY_HOSTING] = "hosting: inner VMs run in it",
};

static const char *const witness_texts[] = {
    [NEST_WITNESS_NONE] = "unknown: nothing enforces it, and nothing tells",
    [NEST_WITNESS_LIBVIRT] = "libvirt compared its CPU at the start",
    [NEST_WITNESS_COMMAND] = "its QEMU was started so",
    [NEST_WITNESS_LOG] = "by QEMU's log of the start",
    [NEST_WITNESS_MONITOR] = "QEMU was asked",
};

/* "svm: QEMU was asked; started 3 min ago" */
static void print_given(NestOutput *output, const NestGiven *given)
{
    static const char *const flaws[] = {[NEST_FLAW_NONE] = "",
        [NEST_FLAW_MISSING] = ", though its definition asks for it",
        [NEST_FLAW_UNWANTED] = ", though its definition hides it"};
    if (given == NULL || given->extension == NEST_EXTENSION_NONE)
        return;
    const char *extension = nest_nick(nest_extension_nicks, given->extension);
    g_autoptr(GString) text = g_string_new(NULL);
    if (given->presence != NEST_PRESENCE_UNKNOWN)
        g_string_append_printf(text,
            "%s%s%s: ", given->presence == NEST_PRESENCE_ABSENT ? "no " : "", extension,
            flaws[given->flaw]);
    g_string_append(text, witness_texts[given->witness]);
    if (given->since > 0) {
        gint64 now = g_get_real_time() / 1000;
        g_autofree char *age = nest_text_duration(MAX(now - given->since, 0));
        g_string_append_printf(text, "; started %s ago", age);
    }
    row(output, "got", text->str);
}

static void print_machine(NestOutput *output, const NestVm *vm)
{
    g_autofree char *memory = nest_text_memory_range(vm->memory_min_kib, vm->memory_kib);
    g_autofree char *cpu =
        g_strjoin(" ", vm->cpu_mode != NULL ? vm->cpu_mode : "default", vm->cpu_model, NULL);
    g_autofree char *saved = nest_text_memory(vm->saved_bytes >> 10);
    row(output, "state", nest_nick(nest_vm_state_nicks, vm->state));
    row(output, "nesting", nest_nick(nest_nesting_nicks, vm->nesting));
    if (vm->activity != NEST_ACTIVITY_NONE)
        row(output, "live", live_texts[vm->activity]);
    row(output, "trust", nest_nick(nest_trust_nicks, vm->trust));
    row(output, "extension", nest_nick(nest_extension_nicks, vm->extension));
    print_given(output, vm->given);
    row(output, "run by", nest_nick(nest_accel_nicks, vm->accel));
    row(output, "cpu", cpu);
    row_number(output, "vcpus", vm->vcpus);
    row(output, "memory", memory);
    row(output, "dynamic memory", yes_no(vm->dynamic_memory));
    row(output, "machine", vm->machine);
    row(output, "saved state", vm->saved_state ? saved : "no");
    row_number(output, "snapshots", vm->snapshots);
    row(output, "mac spoofing", vm->mac_spoofing ? "allowed" : "filtered");
    row(output, "autostart", yes_no(vm->autostart));
    row(output, "console log", vm->console_log);
}

/* What is refused now, and why. */
static void print_refused(NestOutput *output, const NestVm *vm)
{
    for (guint i = 0; i < vm->actions->len; i++) {
        const NestAction *action = g_ptr_array_index(vm->actions, i);
        if (action->say >= NEST_ACTION_REFUSE)
            row(output, "refused", action->reason);
    }
}

gboolean nest_command_show(NestCli *cli, GError **error)
{
    NestOutput *output = cli->output;
    g_autoptr(NestVm) vm =
        nest_client_vm(cli->client, cli->arguments->operands[0], cli->cancellable, error);
    if (vm == NULL)
        return FALSE;
    if (nest_cli_answer(cli))
        return TRUE;
    g_autoptr(GPtrArray) proofs =
        nest_client_proofs(cli->client, vm->uuid, cli->cancellable, error);
    g_autoptr(GPtrArray) verifications = proofs != NULL
        ? nest_client_verifications(cli->client, vm->uuid, cli->cancellable, error)
        : NULL;
    if (verifications == NULL)
        return FALSE;
    row(output, "name", vm->name);
    row(output, "uuid", vm->uuid);
    print_machine(output, vm);
    for (guint i = 0; i < vm->interfaces->len; i++)
        print_interface(output, g_ptr_array_index(vm->interfaces, i));
    if (vm->pending)
        row(output, "pending", "what runs differs from this: turn it off and start it");
    if (vm->operation != 0)
        row_number(output, "operation", vm->operation);
    print_refused(output, vm);
    row(output, "nests", yes_no(vm->supports));
    gint64 now = g_get_real_time() / 1000;
    nest_proof_view_print_last(output, proofs, vm->name, now);
    nest_verification_view_print_last(output, verifications, vm->name, now);
    nest_check_view_print(output, vm->checks, NEST_CHECKS_PROBLEMS);
    return TRUE;
}
