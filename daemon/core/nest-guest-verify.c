/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-verify.h"
#include "nest-error.h"
#include "nest-guest-answers.h"
#include "nest-guest-look.h"
#include "nest-guest-read.h"
#include "nest-guest-script.h"
#include "nest-probe.h"
#include <signal.h>
#include <string.h>

#define MORE_SECONDS 10 /* beside those of the program */
#define SHELL_SIGNAL 128 /* a shell's status for a command that a signal ended */
#define SHELL_NOT_RUN 126

/* ---- Linux ---- */

static NestVerification *judge(const NestGuestOutcome *outcome, guint32 seed)
{
    gsize length = 0;
    const char *text = g_bytes_get_data(outcome->output, &length);
    const char *said = outcome->said != NULL ? outcome->said : "it does not say why";
    if (outcome->status == SHELL_NOT_RUN)
        return nest_probe_not_run("not-run", said);
    if (outcome->status == SHELL_SIGNAL + SIGALRM)
        return nest_probe_not_run("timeout", "the inner VM did not come back in time");
    NestVerification *result = nest_probe_read(text != NULL ? text : "", length, seed);
    if (g_str_equal(result->code, "incomplete") && outcome->said != NULL) {
        g_autofree char *before = result->message;
        result->message = g_strdup_printf("%s: %s", before, outcome->said);
    }
    return result;
}

static NestVerification *run_probe(
    NestBackend *backend, const char *uuid, GCancellable *cancellable, GError **error)
{
    guint32 seed = MAX(g_random_int(), 1);
    g_autofree char *folder = g_strdup_printf("%08x%08x", g_random_int(), g_random_int());
    g_autofree char *argument = g_strdup_printf("%x", seed);
    g_autoptr(GBytes) image = nest_probe_image();
    g_autofree char *input =
        g_base64_encode(g_bytes_get_data(image, NULL), g_bytes_get_size(image));
    const char *const words[] = {
        "-c", nest_guest_answers_script_probe(), "sh", folder, argument, NULL};
    const NestGuestScript script = {.path = "/bin/sh",
        .arguments = words,
        .input = input,
        .seconds = nest_probe_seconds() + MORE_SECONDS,
        .output_max = NEST_PROBE_REPORT_MAX};
    g_auto(NestGuestOutcome) outcome = {0};
    if (!nest_guest_script_run(backend, uuid, &script, cancellable, &outcome, error))
        return NULL;
    return judge(&outcome, seed);
}

/* ---- Windows ---- */

NestVerification *nest_guest_verify_windows(const NestGuestFacts *facts)
{
    gboolean role = facts->hyperv == NEST_ANSWER_YES || facts->platform == NEST_ANSWER_YES;
    NestVerification *result;
    if (facts->agent == NEST_AGENT_FAILED)
        return nest_probe_not_run("not-run", facts->agent_error);
    if (facts->own_hypervisor == NEST_ANSWER_YES && facts->hypervisor == NEST_ANSWER_YES) {
        result = nest_probe_not_run("verified", NULL);
        result->verified = TRUE;
        result->message = g_strdup_printf("Windows has started its own hypervisor in the guest, "
                                          "and %u inner VMs run on it; nothing was measured",
            facts->inner_vms);
        return result;
    }
    if (facts->hyperv == NEST_ANSWER_NO && !role)
        return nest_probe_not_run(
            "no-role", "neither Hyper-V nor the virtual machine platform is enabled in the guest");
    if (facts->own_hypervisor == NEST_ANSWER_NO || facts->hypervisor == NEST_ANSWER_NO)
        return nest_probe_not_run(
            "no-hypervisor", "Windows has not started its own hypervisor in the guest");
    return nest_probe_not_run("unknown",
        "whether Windows has started its own hypervisor can't be told: its log does not say so");
}

/* ---- both ---- */

static gboolean check_guest(const NestGuest *guest, GError **error)
{
    gboolean linux_guest = guest->family == NEST_GUEST_FAMILY_LINUX;
    if (nest_guest_look_may_run(guest) &&
        (guest->family == NEST_GUEST_FAMILY_WINDOWS ||
            (linux_guest && (guest->machine == NULL || strcmp(guest->machine, "x86_64") == 0))))
        return TRUE;
    if (!nest_guest_look_may_run(guest))
        nest_set_error(error, NEST_ERROR_VM_UNFIT, guest->blocked_setting,
            "the guest agent may not run commands");
    else if (linux_guest)
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "the guest runs Linux on %s, and the program to run there is for x86_64",
            guest->machine);
    else
        nest_set_error(error, NEST_ERROR_UNSUPPORTED, NULL,
            "the guest runs %s: only Linux and Windows are known from inside",
            guest->os != NULL ? guest->os : "what it does not name");
    return FALSE;
}

NestVerification *nest_guest_verify(NestBackend *backend, const char *uuid,
    GCancellable *cancellable, NestGuestFacts **ret_facts, GError **error)
{
    NestVerification *result = NULL;
    g_autoptr(NestGuest) guest = nest_guest_read(backend, uuid, error);
    if (guest == NULL || !check_guest(guest, error))
        return NULL;
    gboolean windows = guest->family == NEST_GUEST_FAMILY_WINDOWS;
    if (!windows && (result = run_probe(backend, uuid, cancellable, error)) == NULL)
        return NULL;
    *ret_facts = nest_guest_look(backend, uuid, cancellable);
    if (windows)
        result = nest_guest_verify_windows(*ret_facts);
    result->family = guest->family;
    result->os = g_strdup(guest->os);
    result->guest_kernel = g_strdup(guest->kernel);
    return result;
}
