/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-exec.h"
#include "nest-error.h"
#include "nest-guest-read.h"
#include "nest-guest-script.h"
#include "nest-guest-shell.h"
#include "nest-guest-stream.h"
#include "nest-guest-windows.h"
#include <string.h>

#define LOOK_MS_MIN 10
#define LOOK_MS_MAX 250
#define SILENCE_SECONDS 15
#define KILL_SECONDS 5
#define WORDS_MAX 1000 /* bytes of output of nestd's own scripts */

typedef struct {
    NestGuestTalk talk;
    NestGuestOutput output;
    gpointer user_data;
    GCancellable *cancellable;
    NestTraces *traces;
    gboolean windows;
    char folder[160];
    gint64 pid;
    NestGuestStream streams[2];
    NestAgentStatus status;
    gint64 told; /* to output, monotonic */
} Run;

/* ---- the start ---- */

static gboolean refuse(GError **error, const char *what)
{
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST, NULL, "%s", what);
    return FALSE;
}

gboolean nest_guest_exec_check(const NestExecWish *wish, GError **error)
{
    if (wish->command == NULL || wish->command[0] == NULL || *wish->command[0] == '\0')
        return refuse(error, "no command is given");
    for (guint i = 0; wish->env != NULL && wish->env[i] != NULL; i++)
        if (strchr(wish->env[i], '=') == NULL || wish->env[i][0] == '=')
            return refuse(error, "what is not NAME=VALUE is no environment");
    if (wish->input != NULL && !nest_agent_exec_is_base64(wish->input))
        return refuse(error, "the input is not base64");
    return TRUE;
}

static gboolean check_guest(Run *run, GError **error)
{
    g_autoptr(NestGuest) guest = nest_guest_read(run->talk.backend, run->talk.uuid, error);
    if (guest == NULL)
        return FALSE;
    if (!guest->exec) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, guest->blocked_setting,
            "the guest agent may not run commands, or not read files");
        return FALSE;
    }
    run->windows = guest->family == NEST_GUEST_FAMILY_WINDOWS;
    return TRUE;
}

/* Takes command. What comes of it is the caller's; FALSE: it could not be run to its end. */
static gboolean run_script(Run *run, GStrv command, NestGuestOutcome *ret_outcome)
{
    g_auto(GStrv) taken = command;
    const NestGuestScript script = {.path = taken[0],
        .arguments = (const char *const *)taken + 1,
        .seconds = KILL_SECONDS,
        .output_max = WORDS_MAX};
    return nest_guest_script_run(
        run->talk.backend, run->talk.uuid, &script, NULL, ret_outcome, NULL);
}

/* Where files of the moment are kept. */
static char *find_temp(Run *run, GError **error)
{
    g_auto(NestGuestOutcome) outcome = {NULL};
    gsize length = 0;
    if (!run->windows)
        return g_strdup("/tmp");
    const char *data = run_script(run, nest_guest_windows_where(), &outcome)
        ? g_bytes_get_data(outcome.output, &length)
        : NULL;
    g_autofree char *printed = g_strndup(data != NULL ? data : "", length);
    char *temp = nest_guest_windows_temp(printed);
    if (temp == NULL)
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "does cmd.exe run there?",
            "Windows does not say in which folder it is");
    return temp;
}

static gboolean keep_in_mind(Run *run, GError **error)
{
    const NestTrace trace = {
        (char *)run->talk.uuid, run->folder, .windows = run->windows, .command = TRUE};
    return nest_traces_begin(run->traces, &trace, error);
}

/* The agent was not asked, or says no. After any other error it may do it yet, or has. */
static gboolean has_not_begun(const GError *error)
{
    NestErrorCode code = nest_error_code(error);
    return code == NEST_ERROR_HYPERVISOR || code == NEST_ERROR_VM_STATE ||
        code == NEST_ERROR_UNSUPPORTED || code == NEST_ERROR_VM_NOT_FOUND;
}

static gboolean start(Run *run, const char *const *words, const char *input, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *answer = NULL;
    if (nest_guest_talk_ask(
            &run->talk, nest_agent_exec_ask(words[0], words + 1, input), &answer, &cause) &&
        nest_agent_exec_read(answer, &run->pid, &cause))
        return TRUE;
    nest_traces_end(run->traces, run->folder, has_not_begun(cause));
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean begin(Run *run, const NestExecWish *wish, GError **error)
{
    g_autofree char *temp = check_guest(run, error) ? find_temp(run, error) : NULL;
    if (temp == NULL)
        return FALSE;
    g_snprintf(run->folder, sizeof run->folder, "%s%s.nestd-%08x%08x%08x", temp,
        run->windows ? "\\" : "/", g_random_int(), g_random_int(), g_random_int());
    g_auto(GStrv) words = run->windows ? nest_guest_windows_begin(run->folder, wish, error)
                                       : nest_guest_shell_begin(run->folder, wish);
    return words != NULL && keep_in_mind(run, error) &&
        start(run, (const char *const *)words, wish->input, error);
}

/* ---- while it runs ---- */

/* A file that is not there yet is none. */
static gboolean open_stream(Run *run, guint i, gboolean *ret_more, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *path =
        g_strdup_printf("%s%s%u", run->folder, run->windows ? "\\" : "/", i + 1);
    if (nest_guest_stream_open(&run->streams[i], &run->talk, path, "r", &cause) ||
        g_error_matches(cause, NEST_ERROR, NEST_ERROR_HYPERVISOR))
        return TRUE;
    *ret_more = nest_guest_talk_is_patient(&run->talk, &cause);
    if (!*ret_more)
        g_propagate_error(error, g_steal_pointer(&cause));
    return *ret_more;
}

static gboolean pump_stream(Run *run, guint i, gboolean *ret_more, GError **error)
{
    NestGuestStream *stream = &run->streams[i];
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) chunk = NULL;
    gboolean end = FALSE;
    if (run->windows && !run->status.exited) /* nobody else may open what it writes to */
        return TRUE;
    if (stream->handle < 0 && !open_stream(run, i, ret_more, error))
        return FALSE;
    if (stream->handle < 0)
        return TRUE;
    if (!nest_guest_stream_read(stream, &run->talk, &chunk, &end, &cause)) {
        *ret_more = nest_guest_stream_is_patient(stream, &run->talk, &cause);
        if (!*ret_more)
            g_propagate_error(error, g_steal_pointer(&cause));
        return *ret_more;
    }
    if (g_bytes_get_size(chunk) == 0)
        return TRUE;
    *ret_more = TRUE;
    run->output(i == 1, chunk, run->user_data);
    run->told = g_get_monotonic_time();
    return TRUE;
}

static gboolean look(Run *run, GError **error)
{
    g_autofree char *answer = NULL;
    g_autoptr(GError) cause = NULL;
    g_clear_pointer(&run->status.said, g_free);
    if (nest_guest_talk_ask(&run->talk, nest_agent_exec_ask_status(run->pid), &answer, &cause))
        return nest_agent_exec_read_status(answer, &run->status, error);
    if (nest_guest_talk_is_patient(&run->talk, &cause))
        return TRUE;
    if (g_error_matches(cause, NEST_ERROR, NEST_ERROR_HYPERVISOR))
        nest_guest_talk_forgotten("the command", error);
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static void stay_awake(Run *run)
{
    if (g_get_monotonic_time() - run->told < SILENCE_SECONDS * G_USEC_PER_SEC)
        return;
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    run->output(FALSE, nothing, run->user_data);
    run->told = g_get_monotonic_time();
}

static gboolean is_aborted(const Run *run, GError **error)
{
    if (!g_cancellable_is_cancelled(run->cancellable))
        return FALSE;
    nest_set_error(error, NEST_ERROR_ABORTED, NULL, "the command was aborted");
    return TRUE;
}

/* Its end is asked for before what it printed: what was printed after that is not lost. */
static gboolean follow(Run *run, GError **error)
{
    guint ms = LOOK_MS_MIN;
    for (;;) {
        gboolean more = FALSE;
        if (is_aborted(run, error) || (!run->status.exited && !look(run, error)) ||
            !pump_stream(run, 0, &more, error) || !pump_stream(run, 1, &more, error))
            return FALSE;
        if (run->status.exited && !more)
            return TRUE;
        stay_awake(run);
        if (!more)
            nest_guest_talk_rest(ms, run->cancellable);
        ms = more ? LOOK_MS_MIN : MIN(ms * 3 / 2, LOOK_MS_MAX);
    }
}

/* ---- the end ---- */

static gboolean has_ended(Run *run)
{
    gint64 deadline = g_get_monotonic_time() + KILL_SECONDS * G_USEC_PER_SEC;
    while (!run->status.exited && g_get_monotonic_time() < deadline) {
        if (!look(run, NULL))
            return FALSE;
        if (!run->status.exited)
            g_usleep(LOOK_MS_MIN * 1000);
    }
    return run->status.exited;
}

static gboolean send_signal(Run *run, const char *signal)
{
    g_auto(NestGuestOutcome) outcome = {NULL};
    GStrv command =
        run->windows ? nest_guest_windows_kill(run->pid) : nest_guest_shell_kill(signal, run->pid);
    return run_script(run, command, &outcome);
}

/* Another process may have the number by now, unless the agent still knows it. */
static gboolean kill_it(Run *run)
{
    static const char *const signals[] = {"TERM", "KILL"};
    if (!run->status.exited && !look(run, NULL))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        if (!run->status.exited && send_signal(run, signals[i]) && has_ended(run))
            return TRUE;
    return run->status.exited;
}

/* TRUE: nothing is left there. */
static gboolean clean(Run *run)
{
    g_auto(NestGuestOutcome) outcome = {NULL};
    for (guint i = 0; i < G_N_ELEMENTS(run->streams); i++)
        nest_guest_stream_close(&run->streams[i], &run->talk);
    GStrv command =
        run->windows ? nest_guest_windows_drop(run->folder) : nest_guest_shell_drop(run->folder);
    return run_script(run, command, &outcome) && outcome.status == 0;
}

/* It never came so far as to print anything. */
static gboolean check_began(const Run *run, GError **error)
{
    if (run->streams[0].handle >= 0 && run->streams[1].handle >= 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_UNFIT, "the guest needs a shell, and room in /tmp",
        "the command could not begin in the guest: %s",
        run->status.said != NULL && *run->status.said != '\0' ? g_strchomp(run->status.said)
                                                              : "it does not say why");
    return FALSE;
}

/* After a failure that is no end of the command, it must not be left behind. */
static void give_up(Run *run, GError **error)
{
    NestErrorCode code = nest_error_code(*error);
    if (code == NEST_ERROR_VM_STATE || code == NEST_ERROR_VM_NOT_FOUND || kill_it(run))
        return;
    g_prefix_error(error,
        "the command may still run in the guest until its agent answers again, for it could not be "
        "killed: ");
}

gboolean nest_guest_exec_run(NestBackend *backend, NestTraces *traces, const char *uuid,
    const NestExecWish *wish, NestGuestOutput output, gpointer user_data, GCancellable *cancellable,
    gboolean *ret_begun, gint64 *ret_status, guint *ret_signal, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Run run = {.output = output,
        .user_data = user_data,
        .cancellable = cancellable,
        .traces = traces,
        .streams = {{.handle = -1}, {.handle = -1}}};
    nest_guest_talk_init(&run.talk, backend, uuid);
    if (!nest_guest_exec_check(wish, error) || !begin(&run, wish, error))
        return FALSE;
    *ret_begun = TRUE;
    gboolean good = follow(&run, &cause) && check_began(&run, &cause);
    if (!good)
        give_up(&run, &cause);
    nest_traces_end(traces, run.folder, run.status.exited && clean(&run));
    if (good) {
        gboolean number = run.windows && run.status.signal > 0; /* a status that is an exception */
        *ret_status = number ? (gint64)run.status.signal : run.status.status;
        *ret_signal = number ? 0 : run.status.signal;
    } else {
        g_propagate_error(error, g_steal_pointer(&cause));
    }
    g_free(run.status.said);
    return good;
}
