/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-view.h"
#include "nest-codec.h"
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-proof-view.h"
#include "nest-record.h"
#include "nest-table.h"
#include "nest-text.h"
#include "nest-verification-view.h"
#include <string.h>

/* So many VMs that fail, or have drifted, are shown with their checks, more of them in a line each.
 */
#define SHOWN_WHOLE 10

static const char *const extension_names[] = {
    [NEST_EXTENSION_NONE] = NULL,
    [NEST_EXTENSION_VMX] = "VT-x",
    [NEST_EXTENSION_SVM] = "AMD-V",
};

static void append(GString *line, const char *prefix, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    g_string_append_printf(line, "%s%s%s", line->len > 0 ? " · " : "", prefix, text);
}

static void print_verdict(NestOutput *output, gboolean supports)
{
    nest_output_text(output, supports ? NEST_STYLE_GOOD : NEST_STYLE_BAD, supports ? "YES" : "NO");
}

static char *host_capabilities(const NestHost *host)
{
    g_autoptr(GString) line = g_string_new(extension_names[host->extension]);
    if (host->extension != NEST_EXTENSION_NONE && host->slat)
        g_string_append(line, host->extension == NEST_EXTENSION_VMX ? ", EPT" : ", NPT");
    if (host->nested_parameter != NULL)
        g_string_append_printf(
            line, "%snested=%s", line->len > 0 ? ", " : "", host->nested_parameter);
    return g_strdup(line->str);
}

static void print_host(NestOutput *output, const NestHost *host, NestChecksShown shown)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *capabilities = host_capabilities(host);
    append(line, "Host ", host->name != NULL ? host->name : "(unnamed)");
    append(line, "", host->cpu_model != NULL ? host->cpu_model : host->cpu_vendor);
    append(line, "kernel ", host->kernel);
    append(line, "QEMU ", host->qemu_version);
    append(line, "libvirt ", host->libvirt_version);
    nest_output_wrapped(output, NEST_STYLE_PLAIN, 0, line->str);
    nest_output_text(output, NEST_STYLE_PLAIN, "Supports nested virtualization: ");
    print_verdict(output, host->supports);
    if (*capabilities != '\0')
        nest_output_text(output, NEST_STYLE_PLAIN, "   ");
    nest_output_wrapped(output, NEST_STYLE_PLAIN, host->supports ? 38 : 37, capabilities);
    nest_proof_view_print_last(output, host->proofs, NULL, g_get_real_time() / 1000);
    nest_check_view_print(output, host->checks, shown);
    if (!host->supports && host->tcg_supports)
        nest_output_wrapped(output, NEST_STYLE_PLAIN, 0,
            "Virtual machines run by QEMU's software CPU (TCG) can nest here all the same, with "
            "AMD-V and slowly: nestctl create NAME --memory 4G --accel tcg --nested");
}

static void add_row(NestTable *table, const NestVmSummary *vm)
{
    g_autofree char *memory = nest_text_memory_range(vm->memory_min_kib, vm->memory_kib);
    g_autofree char *checks = nest_check_view_count(vm->failed, vm->warnings);
    nest_table_add(table, NEST_STYLE_PLAIN, vm->name);
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_vm_state_nicks, vm->state));
    nest_table_add(table, NEST_STYLE_PLAIN, nest_nick(nest_nesting_nicks, vm->nesting));
    nest_table_add(table, NEST_STYLE_PLAIN,
        vm->activity != NEST_ACTIVITY_NONE ? nest_nick(nest_activity_nicks, vm->activity) : "–");
    nest_table_add(table, NEST_STYLE_PLAIN, memory);
    nest_table_add(table, nest_check_view_style(vm->failed, vm->warnings), checks);
}

/* vms: array of NestVmSummary */
static void print_table(NestOutput *output, const GPtrArray *vms)
{
    static const char *const headers[] = {"VM", "STATE", "NESTING", "LIVE", "MEMORY", "CHECKS"};
    nest_output_end(output);
    if (vms->len == 0) {
        nest_output_line(output, "There are no virtual machines.");
        return;
    }
    g_autoptr(NestTable) table = nest_table_new(headers, G_N_ELEMENTS(headers));
    for (guint i = 0; i < vms->len; i++)
        add_row(table, g_ptr_array_index(vms, i));
    nest_table_print(table, output);
}

static void print_vm(NestOutput *output, const NestVm *vm, NestChecksShown shown)
{
    nest_output_end(output);
    nest_output_text(output, NEST_STYLE_PLAIN,
        "The virtual machine %s supports nested virtualization: ", vm->name);
    print_verdict(output, vm->supports);
    nest_output_end(output);
    if (vm->pending)
        nest_output_wrapped(output, NEST_STYLE_CAUTION, 0,
            "It runs with an older configuration: turn it off and start it to apply the new one.");
    nest_check_view_print(output, vm->checks, shown);
}

static gboolean judge(gboolean supports, GError **error)
{
    if (!supports)
        nest_set_error(error, NEST_ERROR_CHECK_FAILED, NULL, "a check failed");
    return supports;
}

static gboolean judge_full(const NestStatus *status, GError **error)
{
    gboolean supports = status->host->supports;
    for (guint i = 0; i < status->vms->len; i++)
        supports = supports && ((const NestVm *)g_ptr_array_index(status->vms, i))->supports;
    return judge(supports, error);
}

/* ---- of those that are named ---- */

/* The host and the named VMs, and as text what the daemon answered, put together. */
static NestStatus *get_named(NestCli *cli, GString *text, GError **error)
{
    g_autoptr(NestStatus) status = nest_record_new(&nest_status_record);
    status->host = nest_client_host(cli->client, cli->cancellable, error);
    if (status->host == NULL)
        return NULL;
    g_string_append_printf(text, "{\"host\":%s,\"vms\":[", nest_client_last_text(cli->client));
    for (guint i = 0; i < cli->arguments->n_operands; i++) {
        NestVm *vm =
            nest_client_vm(cli->client, cli->arguments->operands[i], cli->cancellable, error);
        if (vm == NULL)
            return NULL;
        g_ptr_array_add(status->vms, vm);
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", nest_client_last_text(cli->client));
    }
    g_string_append(text, "]}");
    return g_steal_pointer(&status);
}

static gboolean print_named(NestCli *cli, const NestVm *vm, GError **error)
{
    g_autoptr(GPtrArray) proofs =
        nest_client_proofs(cli->client, vm->uuid, cli->cancellable, error);
    g_autoptr(GPtrArray) verifications = proofs != NULL
        ? nest_client_verifications(cli->client, vm->uuid, cli->cancellable, error)
        : NULL;
    if (verifications == NULL)
        return FALSE;
    print_vm(cli->output, vm, cli->arguments->verbose ? NEST_CHECKS_ALL_READ : NEST_CHECKS_ALL);
    gint64 now = g_get_real_time() / 1000;
    nest_proof_view_print_last(cli->output, proofs, vm->name, now);
    nest_verification_view_print_last(cli->output, verifications, vm->name, now);
    return TRUE;
}

static gboolean status_of_named(NestCli *cli, GError **error)
{
    NestOutput *output = cli->output;
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean verbose = cli->arguments->verbose;
    g_autoptr(NestStatus) status = get_named(cli, text, error);
    if (status == NULL)
        return FALSE;
    if (nest_output_is_json(output)) {
        nest_output_json(output, text->str);
        return judge_full(status, error);
    }
    print_host(output, status->host, verbose ? NEST_CHECKS_ALL_READ : NEST_CHECKS_PROBLEMS);
    for (guint i = 0; i < status->vms->len; i++)
        if (!print_named(cli, g_ptr_array_index(status->vms, i), error))
            return FALSE;
    return judge_full(status, error);
}

/* ---- of all, with all that is known of them ---- */

static NestVmSummary *summarize(const NestVm *vm)
{
    NestVmSummary *summary = nest_record_new(&nest_vm_summary_record);
    summary->name = g_strdup(vm->name);
    summary->state = vm->state;
    summary->nesting = vm->nesting;
    summary->activity = vm->activity;
    summary->memory_kib = vm->memory_kib;
    summary->memory_min_kib = vm->memory_min_kib;
    for (guint i = 0; i < vm->checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(vm->checks, i);
        summary->failed += nest_check_failed(check);
        summary->warnings += nest_check_concerns(check) && !nest_check_failed(check);
    }
    return summary;
}

static void print_full(NestOutput *output, const NestStatus *status)
{
    g_autoptr(GPtrArray) summaries =
        g_ptr_array_new_with_free_func((GDestroyNotify)nest_vm_summary_free);
    for (guint i = 0; i < status->vms->len; i++)
        g_ptr_array_add(summaries, summarize(g_ptr_array_index(status->vms, i)));
    print_host(output, status->host, NEST_CHECKS_ALL_READ);
    print_table(output, summaries);
    for (guint i = 0; i < status->vms->len; i++)
        print_vm(output, g_ptr_array_index(status->vms, i), NEST_CHECKS_ALL_READ);
}

static gboolean status_in_full(NestCli *cli, GError **error)
{
    g_autoptr(NestStatus) status =
        nest_client_status(cli->client, cli->arguments->verbose, cli->cancellable, error);
    if (status == NULL)
        return FALSE;
    if (!nest_cli_answer(cli))
        print_full(cli->output, status);
    return judge_full(status, error);
}

/* ---- of all, in short: by their summaries, which a thousand VMs still have in no time ---- */

/* drifted: those that drifted but fail no check, instead of those that fail. */
static GPtrArray *failing_of(GPtrArray *vms, gboolean drifted)
{
    GPtrArray *failing = g_ptr_array_new();
    for (guint i = 0; i < vms->len; i++) {
        NestVmSummary *vm = g_ptr_array_index(vms, i);
        if (drifted ? vm->supports && vm->drift : !vm->supports)
            g_ptr_array_add(failing, vm);
    }
    return failing;
}

/* What somebody changed of each; a VM that has not drifted any more is left out. */
static void print_drifts(NestOutput *output, const GPtrArray *vms)
{
    if (vms->len > 0)
        nest_output_end(output);
    for (guint i = 0; i < vms->len; i++) {
        const NestVm *vm = g_ptr_array_index(vms, i);
        for (guint at = 0; vm->drift && at < vm->checks->len; at++) {
            const NestCheck *check = g_ptr_array_index(vm->checks, at);
            if (strcmp(check->id, "vm.drift") != 0)
                continue;
            g_autofree char *text = g_strdup_printf("%s: %s", vm->name, check->message);
            nest_output_wrapped(output, NEST_STYLE_CAUTION, 0, text);
            nest_output_line(output, "  → nestctl enable %s", vm->name);
        }
    }
}

/* In a line each. */
static void print_drifted(NestOutput *output, const GPtrArray *drifted)
{
    if (drifted->len > 0)
        nest_output_end(output);
    for (guint i = 0; i < drifted->len; i++) {
        const NestVmSummary *vm = g_ptr_array_index(drifted, i);
        nest_output_text(output, NEST_STYLE_CAUTION,
            "%s was set up for nesting, and somebody else changed it since", vm->name);
        nest_output_end(output);
        nest_output_line(output, "  → nestctl enable %s", vm->name);
    }
}

/* One line a VM. */
static void print_lines(NestOutput *output, const GPtrArray *failing)
{
    guint width = 0;
    for (guint i = 0; i < failing->len; i++) {
        const NestVmSummary *vm = g_ptr_array_index(failing, i);
        width = MAX(width, nest_output_measure(output, vm->name));
    }
    nest_output_end(output);
    for (guint i = 0; i < failing->len; i++) {
        const NestVmSummary *vm = g_ptr_array_index(failing, i);
        g_autofree char *ids = vm->errors != NULL ? g_strjoinv(", ", vm->errors) : g_strdup("");
        nest_output_cell(output, NEST_STYLE_PLAIN, width + 3, vm->name);
        print_verdict(output, FALSE);
        nest_output_line(output, "%s%s", *ids != '\0' ? ": " : "", ids);
    }
    nest_output_line(output,
        "%u virtual machines do not support it; nestctl status VM shows why, and what to do.",
        failing->len);
}

/* Adds each of found whole, unless they are many; one that is gone by now is left out. */
static gboolean get_whole(NestCli *cli, const GPtrArray *found, GPtrArray *vms, GError **error)
{
    for (guint i = 0; found->len <= SHOWN_WHOLE && i < found->len; i++) {
        const NestVmSummary *summary = g_ptr_array_index(found, i);
        g_autoptr(GError) cause = NULL;
        NestVm *vm = nest_client_vm(cli->client, summary->uuid, cli->cancellable, &cause);
        if (vm != NULL) {
            g_ptr_array_add(vms, vm);
        } else if (nest_error_code(cause) != NEST_ERROR_VM_NOT_FOUND) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean status_in_short(NestCli *cli, GError **error)
{
    NestOutput *output = cli->output;
    g_autoptr(NestHost) host = nest_client_host(cli->client, cli->cancellable, error);
    if (host == NULL)
        return FALSE;
    g_autoptr(GPtrArray) vms = nest_client_vms(cli->client, cli->cancellable, error);
    if (vms == NULL)
        return FALSE;
    g_autoptr(GPtrArray) failing = failing_of(vms, FALSE);
    g_autoptr(GPtrArray) drifted = failing_of(vms, TRUE);
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func((GDestroyNotify)nest_vm_free);
    g_autoptr(GPtrArray) strayed = g_ptr_array_new_with_free_func((GDestroyNotify)nest_vm_free);
    if (!get_whole(cli, failing, whole, error) || !get_whole(cli, drifted, strayed, error))
        return FALSE;
    print_host(output, host, NEST_CHECKS_PROBLEMS);
    print_table(output, vms);
    for (guint i = 0; i < whole->len; i++)
        print_vm(output, g_ptr_array_index(whole, i), NEST_CHECKS_PROBLEMS);
    if (failing->len > SHOWN_WHOLE)
        print_lines(output, failing);
    if (drifted->len > SHOWN_WHOLE)
        print_drifted(output, drifted);
    print_drifts(output, strayed);
    return judge(host->supports && failing->len == 0, error);
}

gboolean nest_command_status(NestCli *cli, GError **error)
{
    if (cli->arguments->n_operands > 0)
        return status_of_named(cli, error);
    if (cli->arguments->verbose || nest_output_is_json(cli->output))
        return status_in_full(cli, error);
    return status_in_short(cli, error);
}
