/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-view.h"
#include "nest-codec.h"
#include "nest-commands.h"
#include "nest-error.h"
#include "nest-record.h"
#include <string.h>

static gboolean usage(GError **error, const char *message)
{
    nest_set_error(error, NEST_ERROR_USAGE, "nestctl help check", "%s", message);
    return FALSE;
}

static gboolean check_arguments(const NestArguments *arguments, GError **error)
{
    guint scope = NEST_SCOPE_HOST;
    if (arguments->scope != NULL &&
        (!nest_nick_parse(nest_scope_nicks, arguments->scope, &scope) || scope > NEST_SCOPE_GUEST))
        return usage(error, "--scope takes host, vm, net or guest");
    if (arguments->scope != NULL && scope == NEST_SCOPE_HOST && arguments->n_operands > 0)
        return usage(error, "virtual machines have no checks of the scope host");
    if (arguments->all && arguments->failed)
        return usage(error, "--all and --failed exclude each other");
    return TRUE;
}

static gboolean is_of_scope(const NestCheck *check, const char *scope)
{
    if (scope == NULL)
        return TRUE;
    if (g_str_has_prefix(check->id, "win."))
        return strcmp(scope, nest_scope_nicks[NEST_SCOPE_GUEST]) == 0;
    return g_str_has_prefix(check->id, scope) && check->id[strlen(scope)] == '.';
}

static gboolean is_wanted(const NestCheck *check, const NestArguments *arguments)
{
    if (arguments->failed)
        return nest_check_failed(check);
    return arguments->all || arguments->verbose || check->verdict >= NEST_VERDICT_UNKNOWN;
}

/* Leaves only the checks of the scope, or those of them that are to be shown. */
static void keep(GPtrArray *checks, const NestArguments *arguments, gboolean scope_only)
{
    for (guint i = checks->len; i > 0; i--) {
        const NestCheck *check = g_ptr_array_index(checks, i - 1);
        gboolean stays =
            scope_only ? is_of_scope(check, arguments->scope) : is_wanted(check, arguments);
        if (!stays)
            nest_check_free(g_ptr_array_remove_index(checks, i - 1));
    }
}

/* "12 passed, 1 warning" */
static char *count_text(const GPtrArray *checks)
{
    static const char *const words[] = {
        [NEST_VERDICT_PASS] = "passed",
        [NEST_VERDICT_INFO] = "for information",
        [NEST_VERDICT_NOT_APPLICABLE] = "do not apply",
        [NEST_VERDICT_UNKNOWN] = "unknown",
        [NEST_VERDICT_WARN] = "warned",
        [NEST_VERDICT_FAIL] = "failed",
    };
    guint counts[G_N_ELEMENTS(words)] = {0}, ignored = 0;
    for (guint i = 0; i < checks->len; i++) {
        const NestCheck *check = g_ptr_array_index(checks, i);
        if (check->ignored != NULL)
            ignored++;
        else
            counts[check->verdict]++;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = G_N_ELEMENTS(words); i > 0; i--)
        if (counts[i - 1] > 0)
            g_string_append_printf(
                text, "%s%u %s", text->len > 0 ? ", " : "", counts[i - 1], words[i - 1]);
    if (ignored > 0)
        g_string_append_printf(text, "%s%u ignored", text->len > 0 ? ", " : "", ignored);
    return g_strdup(text->len > 0 ? text->str : "no check of this scope");
}

static gboolean has_failed(const GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++)
        if (nest_check_failed(g_ptr_array_index(checks, i)))
            return TRUE;
    return FALSE;
}

static void print_report(NestCli *cli, NestCheckReport *report, gboolean first)
{
    const NestArguments *arguments = cli->arguments;
    g_autofree char *count = count_text(report->checks);
    keep(report->checks, arguments, FALSE);
    if (!first)
        nest_output_end(cli->output);
    nest_output_line(cli->output, "%s %s: %s", report->uuid != NULL ? "Virtual machine" : "Host",
        report->name != NULL ? report->name : "(unnamed)", count);
    nest_check_view_print(
        cli->output, report->checks, arguments->verbose ? NEST_CHECKS_ALL_READ : NEST_CHECKS_ALL);
}

static void print_json(NestCli *cli, GPtrArray *reports)
{
    g_autoptr(GString) text = g_string_new("{\"reports\":[");
    for (guint i = 0; i < reports->len; i++) {
        NestCheckReport *report = g_ptr_array_index(reports, i);
        keep(report->checks, cli->arguments, FALSE);
        g_autofree char *one = nest_codec_to_text(&nest_check_report_record, report);
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", one);
    }
    g_string_append(text, "]}");
    nest_output_json(cli->output, text->str);
}

/* The guests of VMs that were not named are asked only by who wants to know of them. */
static gboolean asks_guest(const char *scope, gboolean named)
{
    if (scope == NULL)
        return named;
    return strcmp(scope, nest_scope_nicks[NEST_SCOPE_GUEST]) == 0;
}

/* vm NULL: the host. One that is gone is left out where it was not named. */
static gboolean add_report(
    NestCli *cli, const char *vm, gboolean named, GPtrArray *reports, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gboolean guest = asks_guest(cli->arguments->scope, named);
    NestCheckReport *report =
        nest_client_check(cli->client, vm, TRUE, guest, cli->cancellable, &cause);
    if (report != NULL) {
        keep(report->checks, cli->arguments, TRUE);
        g_ptr_array_add(reports, report);
        return TRUE;
    }
    if (!named && nest_error_code(cause) == NEST_ERROR_VM_NOT_FOUND)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean add_every_vm(NestCli *cli, GPtrArray *reports, GError **error)
{
    g_autoptr(GPtrArray) vms = nest_client_vms(cli->client, cli->cancellable, error);
    if (vms == NULL)
        return FALSE;
    for (guint i = 0; i < vms->len; i++) {
        const NestVmSummary *vm = g_ptr_array_index(vms, i);
        if (!add_report(cli, vm->uuid, FALSE, reports, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean get_reports(NestCli *cli, GPtrArray *reports, GError **error)
{
    const NestArguments *arguments = cli->arguments;
    if (arguments->n_operands == 0 &&
        (arguments->scope == NULL ||
            strcmp(arguments->scope, nest_scope_nicks[NEST_SCOPE_HOST]) == 0))
        return add_report(cli, NULL, TRUE, reports, error);
    if (arguments->n_operands == 0)
        return add_every_vm(cli, reports, error);
    for (guint i = 0; i < arguments->n_operands; i++)
        if (!add_report(cli, arguments->operands[i], TRUE, reports, error))
            return FALSE;
    return TRUE;
}

gboolean nest_command_check(NestCli *cli, GError **error)
{
    g_autoptr(GPtrArray) reports =
        g_ptr_array_new_with_free_func((GDestroyNotify)nest_check_report_free);
    if (!check_arguments(cli->arguments, error) || !get_reports(cli, reports, error))
        return FALSE;
    gboolean failed = FALSE;
    for (guint i = 0; i < reports->len; i++)
        failed =
            failed || has_failed(((const NestCheckReport *)g_ptr_array_index(reports, i))->checks);
    if (nest_output_is_json(cli->output))
        print_json(cli, reports);
    else if (reports->len == 0)
        nest_output_line(cli->output, "There are no virtual machines.");
    else
        for (guint i = 0; i < reports->len; i++)
            print_report(cli, g_ptr_array_index(reports, i), i == 0);
    if (failed)
        nest_set_error(error, NEST_ERROR_CHECK_FAILED, NULL, "a check failed");
    return !failed;
}
