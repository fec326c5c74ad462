/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-script.h"
#include "nest-error.h"
#include "nest-guest-read.h"
#include "nest-guest-shell.h"
#include "nest-guest-talk.h"
#include "nest-guest-windows.h"

#define LOOK_MS_MIN 5
#define LOOK_MS_MAX 200

typedef struct {
    NestBackend *backend;
    const char *uuid;
    const NestGuestScript *script;
    GCancellable *cancellable;
    gint64 deadline; /* monotonic, µs */
    gint64 pid;
} Run;

void nest_guest_outcome_clear(NestGuestOutcome *outcome)
{
    g_clear_pointer(&outcome->output, g_bytes_unref);
    g_clear_pointer(&outcome->said, g_free);
}

/* Takes question. */
static char *ask(const Run *run, char *question, GError **error)
{
    g_autofree char *taken = question;
    char *answer = NULL;
    return run->backend->ops->agent(
               run->backend, run->uuid, taken, NEST_GUEST_ANSWER_SECONDS, &answer, error)
        ? answer
        : NULL;
}

static gboolean begin(Run *run, GError **error)
{
    const NestGuestScript *script = run->script;
    g_autofree char *answer =
        ask(run, nest_agent_exec_ask(script->path, script->arguments, script->input), error);
    return answer != NULL && nest_agent_exec_read(answer, &run->pid, error);
}

/* TRUE: it has not ended too late. An agent that is late is asked again. */
static gboolean check_time(const Run *run, GError **error)
{
    if (g_cancellable_is_cancelled(run->cancellable)) {
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "it was aborted");
        return FALSE;
    }
    if (g_get_monotonic_time() < run->deadline)
        return TRUE;
    nest_set_error(error, NEST_ERROR_TIMEOUT, "look at what keeps the guest busy",
        "what nestd runs in the guest has not ended after %u s", run->script->seconds);
    return FALSE;
}

static gboolean take(const Run *run, const char *answer, NestAgentStatus *status,
    NestGuestOutcome *outcome, GError **error)
{
    if (!nest_agent_exec_read_printed(answer, run->script->output_max, &outcome->output, error)) {
        g_free(status->said);
        return FALSE;
    }
    outcome->said = status->said;
    outcome->status = status->status;
    outcome->signal = status->signal;
    return TRUE;
}

/* None: an agent that is late is asked again. */
static void explain(const GError *cause, GError **error)
{
    if (g_error_matches(cause, NEST_ERROR, NEST_ERROR_HYPERVISOR))
        nest_set_error(error, NEST_ERROR_GUEST_AGENT, "try again once the guest has booted",
            "the guest rebooted meanwhile, or its agent was started anew: %s", cause->message);
    else if (!g_error_matches(cause, NEST_ERROR, NEST_ERROR_GUEST_AGENT))
        g_propagate_error(error, g_error_copy(cause));
}

/* FALSE without error: not yet. */
static gboolean look(const Run *run, NestGuestOutcome *outcome, GError **error)
{
    NestAgentStatus status = {0};
    g_autoptr(GError) cause = NULL;
    g_autofree char *answer = ask(run, nest_agent_exec_ask_status(run->pid), &cause);
    if (answer == NULL) {
        explain(cause, error);
        return FALSE;
    }
    if (!nest_agent_exec_read_status(answer, &status, error))
        return FALSE;
    if (status.exited)
        return take(run, answer, &status, outcome, error);
    g_free(status.said);
    return FALSE;
}

static gboolean wait_for_end(const Run *run, NestGuestOutcome *outcome, GError **error)
{
    guint ms = LOOK_MS_MIN;
    GError *cause = NULL;
    while (check_time(run, &cause) && !look(run, outcome, &cause) && cause == NULL) {
        nest_guest_talk_rest(ms, run->cancellable);
        ms = MIN(ms * 3 / 2, LOOK_MS_MAX);
    }
    if (cause == NULL)
        return TRUE;
    g_propagate_error(error, cause);
    return FALSE;
}

/* Nobody waits for what comes of it. */
static void kill_it(const Run *run)
{
    gboolean windows = g_str_has_suffix(run->script->path, ".exe");
    g_auto(GStrv) words =
        windows ? nest_guest_windows_kill(run->pid) : nest_guest_shell_kill("KILL", run->pid);
    const char *const *command = (const char *const *)words;
    g_free(ask(run, nest_agent_exec_ask(command[0], command + 1, NULL), NULL));
}

gboolean nest_guest_script_run(NestBackend *backend, const char *uuid,
    const NestGuestScript *script, GCancellable *cancellable, NestGuestOutcome *ret_outcome,
    GError **error)
{
    Run run = {.backend = backend,
        .uuid = uuid,
        .script = script,
        .cancellable = cancellable,
        .deadline = g_get_monotonic_time() + script->seconds * G_USEC_PER_SEC};
    GError *cause = NULL;
    if (!begin(&run, error))
        return FALSE;
    if (wait_for_end(&run, ret_outcome, &cause))
        return TRUE;
    if (g_error_matches(cause, NEST_ERROR, NEST_ERROR_TIMEOUT) ||
        g_error_matches(cause, NEST_ERROR, NEST_ERROR_ABORTED))
        kill_it(&run);
    g_propagate_error(error, cause);
    return FALSE;
}
