/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guest-exec.h"

/* Commands inside VMs. A worker is in the guest; what it hears goes to the main thread one piece at
 * a time, so that a slow client slows the reading down and fills no memory. */

#define COMMAND_SHOWN 200 /* characters */

struct NestExec {
    NestCore *core;
    NestCaller caller;
    const NestExecHooks *hooks;
    gpointer data;
    char *uuid, *name;
    NestExecWish *wish;
    GCancellable *cancellable;
    gulong ending; /* handler */

    GMutex lock;
    GCond cond;
    gboolean busy; /* a piece is on its way; guarded */

    gboolean begun;
    gint64 status;
    guint signal;
    GError *error;
};

static void exec_free(NestExec *exec)
{
    g_cancellable_disconnect(exec->core->ending, exec->ending);
    nest_exec_wish_free(exec->wish);
    g_object_unref(exec->cancellable);
    g_clear_error(&exec->error);
    g_cond_clear(&exec->cond);
    g_mutex_clear(&exec->lock);
    g_free(exec->uuid);
    g_free(exec->name);
    g_free(exec);
}

static void ended(gpointer data)
{
    NestExec *exec = data;
    g_autoptr(NestProblem) problem =
        exec->error != NULL ? nest_problem_from_error(exec->error) : NULL;
    const NestExecOutput last = {
        .ended = TRUE, .status = exec->status, .signal = exec->signal, .problem = problem};
    exec->core->execs--;
    exec->hooks->ended(&last, exec->begun, exec->error, exec->data);
    exec_free(exec);
}

/* ---- on a visitor ---- */

typedef struct {
    NestExec *exec;
    NestExecOutput output;
} Piece;

static void tell(gpointer data)
{
    g_autofree Piece *piece = data;
    piece->exec->hooks->output(&piece->output, piece->exec->data);
    g_free(piece->output.out);
    g_free(piece->output.err);
}

static void on_output(gboolean err, GBytes *chunk, gpointer user_data)
{
    NestExec *exec = user_data;
    Piece *piece = g_new0(Piece, 1);
    gsize length = 0;
    const guchar *data = g_bytes_get_data(chunk, &length);
    char *text = length > 0 ? g_base64_encode(data, length) : NULL;
    piece->exec = exec;
    piece->output = (NestExecOutput){.out = err ? NULL : text, .err = err ? text : NULL};
    g_mutex_lock(&exec->lock);
    exec->busy = TRUE;
    nest_core_post(tell, piece);
    while (exec->busy && !g_cancellable_is_cancelled(exec->cancellable))
        g_cond_wait(&exec->cond, &exec->lock);
    g_mutex_unlock(&exec->lock);
}

/* Of the command only its name: arguments, and a shell's line, may hold what nobody else may read.
 */
static gboolean record(NestExec *exec, GError **error)
{
    const char *command = exec->wish->shell ? "a shell line" : exec->wish->command[0];
    g_autofree char *shown =
        g_utf8_substring(command, 0, MIN(g_utf8_strlen(command, -1), COMMAND_SHOWN));
    g_autofree char *message = g_strdup_printf(
        "the user with id %u runs %s inside %s", (guint)exec->caller.uid, shown, exec->name);
    return nest_core_note_visit(exec->core, "guest-exec", exec->uuid, exec->name, message, error);
}

static void work(gpointer data)
{
    NestExec *exec = data;
    if (record(exec, &exec->error))
        nest_guest_exec_run(exec->core->backend, exec->core->traces, exec->uuid, exec->wish,
            on_output, exec, exec->cancellable, &exec->begun, &exec->status, &exec->signal,
            &exec->error);
    nest_core_post(ended, exec);
}

/* ---- on the main thread ---- */

static void on_ending(GCancellable *ending, gpointer data)
{
    nest_core_exec_abort(data);
}

NestExec *nest_core_exec(NestCore *core, const NestCaller *caller, const char *vm,
    const NestExecWish *wish, const NestExecHooks *hooks, gpointer data)
{
    NestExec *exec = g_new0(NestExec, 1);
    exec->core = core;
    exec->caller = *caller;
    exec->hooks = hooks;
    exec->data = data;
    exec->wish = nest_record_copy(&nest_exec_wish_record, wish);
    exec->cancellable = g_cancellable_new();
    g_mutex_init(&exec->lock);
    g_cond_init(&exec->cond);
    exec->ending = g_cancellable_connect(core->ending, G_CALLBACK(on_ending), exec, NULL);
    core->execs++;
    if (nest_guest_exec_check(exec->wish, &exec->error) &&
        nest_core_enter_guest(core, vm, &exec->uuid, &exec->name, &exec->error))
        nest_core_push(core, core->visitors, work, exec);
    else
        nest_core_post(ended, exec);
    return exec;
}

static void wake(NestExec *exec)
{
    g_mutex_lock(&exec->lock);
    exec->busy = FALSE;
    g_cond_signal(&exec->cond);
    g_mutex_unlock(&exec->lock);
}

void nest_core_exec_more(NestExec *exec)
{
    wake(exec);
}

void nest_core_exec_abort(NestExec *exec)
{
    g_cancellable_cancel(exec->cancellable);
    wake(exec);
}
