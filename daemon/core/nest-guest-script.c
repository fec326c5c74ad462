/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-script.h"
#include "nest-error.h"
#include "nest-guest-read.h"
#include "nest-guest-talk.h"
#include "nest-guest-windows.h"

#define LOOK_MS_MIN 5
#define LOOK_MS_MAX 200
/* A busy guest takes its time to look through its processes; who gave it little can't wait long. */
#define END_SECONDS(seconds) CLAMP((seconds) / 4, 5, 15)

/* 1: a process, which is ended with all that it has started: the agent makes it no group of its
 * own. Each is stopped before what it started is looked for, so that nothing gets away. */
static const char end_script[] =
    "end() {\n"
    "    kill -s STOP \"$1\" || return\n"
    "    for p in /proc/[0-9]*; do\n"
    "        read -r s <\"$p/stat\" && set -- \"$1\" ${s##*)} && [ \"$3\" = \"$1\" ] &&\n"
    "            end \"${p#/proc/}\"\n"
    "    done\n"
    "    kill -s KILL \"$1\"\n"
    "}\n"
    "{ end \"$1\"; kill -s KILL -- \"-$1\"; } 2>/dev/null\n";

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

static GStrv end_command(const Run *run)
{
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, run->pid);
    const char *const words[] = {"/bin/sh", "-c", end_script, "sh", number, NULL};
    return g_str_has_suffix(run->script->path, ".exe") ? nest_guest_windows_kill(run->pid)
                                                       : g_strdupv((GStrv)words);
}

/* FALSE: not that is known. */
static gboolean has_ended(const Run *run)
{
    NestAgentStatus status = {0};
    g_autofree char *answer = ask(run, nest_agent_exec_ask_status(run->pid), NULL);
    if (answer == NULL || !nest_agent_exec_read_status(answer, &status, NULL))
        return FALSE;
    g_free(status.said);
    return status.exited;
}

/* FALSE: it may still run. */
static gboolean end_it(const Run *run)
{
    g_auto(GStrv) words = end_command(run);
    const char *const *command = (const char *const *)words;
    gint64 deadline = g_get_monotonic_time() + END_SECONDS(run->script->seconds) * G_USEC_PER_SEC;
    g_autofree char *answer = ask(run, nest_agent_exec_ask(command[0], command + 1, NULL), NULL);
    if (answer == NULL)
        return FALSE;
    while (!has_ended(run)) {
        if (g_get_monotonic_time() >= deadline)
            return FALSE;
        nest_guest_talk_rest(LOOK_MS_MIN, NULL);
    }
    return TRUE;
}

/* Only an agent that says no has surely not begun it. */
static gboolean may_run(const Run *run, gboolean begun, const GError *cause)
{
    switch (nest_error_code(cause)) {
    case NEST_ERROR_TIMEOUT:
    case NEST_ERROR_ABORTED:
        return !begun || !end_it(run);
    case NEST_ERROR_HYPERVISOR:
    case NEST_ERROR_UNSUPPORTED:
    case NEST_ERROR_VM_STATE:
    case NEST_ERROR_VM_NOT_FOUND:
        return FALSE;
    default:
        return TRUE;
    }
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
    gboolean begun = begin(&run, &cause);
    if (begun && wait_for_end(&run, ret_outcome, &cause))
        return TRUE;
    ret_outcome->loose = may_run(&run, begun, cause);
    g_propagate_error(error, cause);
    return FALSE;
}
