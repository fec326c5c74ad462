/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-look.h"
#include "nest-error.h"
#include "nest-guest-answers.h"
#include "nest-guest-read.h"
#include "nest-guest-script.h"
#include <string.h>

#define SCRIPT_SECONDS 20

static void fail(NestGuestFacts *facts, NestAgentState state, const GError *error)
{
    facts->agent = state;
    g_free(facts->agent_error);
    facts->agent_error = g_strdup(error->message);
}

/* Of one that is not there libvirt says nothing else than this. */
static NestAgentState state_of(const GError *error)
{
    if (nest_error_code(error) != NEST_ERROR_GUEST_AGENT)
        return NEST_AGENT_ABSENT;
    return strstr(error->message, "not connected") != NULL ? NEST_AGENT_ABSENT
                                                           : NEST_AGENT_UNSYNCED;
}

static gboolean is_blocked(const NestGuest *guest, const char *command)
{
    return guest->blocked != NULL && g_strv_contains((const char *const *)guest->blocked, command);
}

gboolean nest_guest_look_may_run(const NestGuest *guest)
{
    return !is_blocked(guest, "guest-exec") && !is_blocked(guest, "guest-exec-status");
}

static void take_agent(NestGuestFacts *facts, const NestGuest *guest)
{
    static const NestGuestKind kinds[] = {
        [NEST_GUEST_FAMILY_UNKNOWN] = NEST_GUEST_UNREAD,
        [NEST_GUEST_FAMILY_LINUX] = NEST_GUEST_LINUX,
        [NEST_GUEST_FAMILY_WINDOWS] = NEST_GUEST_WINDOWS,
        [NEST_GUEST_FAMILY_OTHER] = NEST_GUEST_OTHER,
    };
    gboolean exec = nest_guest_look_may_run(guest);
    facts->exec = exec ? NEST_ANSWER_YES : NEST_ANSWER_NO;
    facts->exec_setting = exec ? NULL : g_strdup(guest->blocked_setting);
    facts->kind = kinds[guest->family];
    facts->os = g_strdup(guest->os);
}

static gboolean read_script(const NestGuestOutcome *outcome, NestGuestFacts *facts, GError **error)
{
    gsize length = 0;
    const char *text = g_bytes_get_data(outcome->output, &length);
    if (facts->kind == NEST_GUEST_WINDOWS)
        return nest_guest_answers_read_windows(text, length, facts, error);
    return nest_guest_answers_read_linux(text, length, facts, error);
}

static gboolean run_script(NestBackend *backend, const char *uuid, NestGuestFacts *facts,
    GCancellable *cancellable, GError **error)
{
    gboolean windows = facts->kind == NEST_GUEST_WINDOWS;
    g_autofree char *encoded = windows ? nest_guest_answers_script_windows() : NULL;
    const char *const posix[] = {"-c", nest_guest_answers_script_linux(), NULL};
    const char *const power[] = {"-NoProfile", "-NonInteractive", "-EncodedCommand", encoded, NULL};
    const NestGuestScript script = {.path = windows ? "powershell.exe" : "/bin/sh",
        .arguments = windows ? power : posix,
        .seconds = SCRIPT_SECONDS,
        .output_max = NEST_GUEST_ANSWERS_MAX};
    g_auto(NestGuestOutcome) outcome = {0};
    return nest_guest_script_run(backend, uuid, &script, cancellable, &outcome, error) &&
        read_script(&outcome, facts, error);
}

NestGuestFacts *nest_guest_look(NestBackend *backend, const char *uuid, GCancellable *cancellable)
{
    g_autoptr(GError) error = NULL;
    NestGuestFacts *facts = g_new0(NestGuestFacts, 1);
    g_autoptr(NestGuest) guest = nest_guest_read(backend, uuid, &error);
    if (guest == NULL) {
        fail(facts, state_of(error), error);
        return facts;
    }
    take_agent(facts, guest);
    gboolean known = facts->kind == NEST_GUEST_LINUX || facts->kind == NEST_GUEST_WINDOWS;
    if (known && facts->exec == NEST_ANSWER_YES &&
        !run_script(backend, uuid, facts, cancellable, &error))
        fail(facts, NEST_AGENT_FAILED, error);
    return facts;
}
