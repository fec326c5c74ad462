/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-progress.h"
#include "nest-error.h"
#include "nest-record.h"
#include "nest-text.h"

#define TICK_USEC (100 * 1000)

typedef struct {
    NestCli *cli;
    GMutex mutex; /* over all that follows, and over printing */
    GCond cond;
    char *doing;
    gint64 since; /* monotonic */
    gboolean ended;
    guint told; /* steps that have been printed */
} Watch;

typedef struct {
    const char *mark;
    NestStyle style;
    const char *remark;
} StepMark;

static const StepMark step_marks[] = {
    [NEST_STEP_PENDING] = {"·", NEST_STYLE_FAINT, "not begun"},
    [NEST_STEP_RUNNING] = {"…", NEST_STYLE_PLAIN, "under way"},
    [NEST_STEP_DONE] = {"✓", NEST_STYLE_GOOD, NULL},
    [NEST_STEP_FAILED] = {"✗", NEST_STYLE_BAD, "failed"},
    [NEST_STEP_UNDONE] = {"↶", NEST_STYLE_CAUTION, "taken back"},
    [NEST_STEP_SKIPPED] = {"–", NEST_STYLE_FAINT, "left out"},
};

static guint title_width(const NestOutput *output, const NestOperation *operation)
{
    guint width = 0;
    for (guint i = 0; i < operation->steps->len; i++) {
        const NestStep *step = g_ptr_array_index(operation->steps, i);
        width = MAX(width, nest_output_measure(output, step->title != NULL ? step->title : "?"));
    }
    return width;
}

static void print_step(NestOutput *output, const NestStep *step, guint width)
{
    const StepMark *mark = &step_marks[step->state];
    const char *title = step->title != NULL ? step->title : "?";
    g_autofree char *time = step->state == NEST_STEP_DONE && step->finished > step->started + 50
        ? nest_text_duration(step->finished - step->started)
        : g_strdup(mark->remark);
    nest_output_text(output, NEST_STYLE_PLAIN, "  ");
    nest_output_cell(output, mark->style, nest_output_measure(output, "✓"), mark->mark);
    nest_output_text(output, NEST_STYLE_PLAIN, " ");
    if (time == NULL) {
        nest_output_line(output, "%s", title);
        return;
    }
    nest_output_cell(output, NEST_STYLE_PLAIN, width + 3, title);
    nest_output_line(output, "%s", time);
}

void nest_progress_print_steps(NestOutput *output, const NestOperation *operation)
{
    guint width = title_width(output, operation);
    for (guint i = 0; i < operation->steps->len; i++)
        print_step(output, g_ptr_array_index(operation->steps, i), width);
}

static gboolean is_told_at_once(NestStepState state)
{
    return state == NEST_STEP_DONE || state == NEST_STEP_FAILED || state == NEST_STEP_SKIPPED;
}

static void set_doing(Watch *watch, const NestOperation *operation)
{
    const char *doing = operation->kind != NULL ? operation->kind : "";
    for (guint i = 0; i < operation->steps->len; i++) {
        const NestStep *step = g_ptr_array_index(operation->steps, i);
        if (step->state == NEST_STEP_RUNNING && step->title != NULL)
            doing = step->title;
    }
    if (g_strcmp0(doing, watch->doing) == 0)
        return;
    g_free(watch->doing);
    watch->doing = g_strdup(doing);
    watch->since = g_get_monotonic_time();
}

static void on_progress(const NestOperation *operation, gpointer user_data)
{
    Watch *watch = user_data;
    NestOutput *output = watch->cli->output;
    guint width = title_width(output, operation);
    g_mutex_lock(&watch->mutex);
    for (; watch->told < operation->steps->len; watch->told++) {
        const NestStep *step = g_ptr_array_index(operation->steps, watch->told);
        if (is_told_at_once(step->state)) {
            nest_output_transient(output, NULL);
            print_step(output, step, width);
        } else if (step->state != NEST_STEP_UNDONE) {
            break;
        }
    }
    nest_output_flush(output);
    set_doing(watch, operation);
    g_mutex_unlock(&watch->mutex);
}

static gpointer tick(gpointer data)
{
    static const char *const frames[] = {"|", "/", "-", "\\"};
    Watch *watch = data;
    g_mutex_lock(&watch->mutex);
    for (guint i = 0; !watch->ended; i++) {
        gint64 now = g_get_monotonic_time();
        if (watch->doing != NULL && now - watch->since > 2 * TICK_USEC) {
            g_autofree char *time = nest_text_duration((now - watch->since) / 1000);
            g_autofree char *text = g_strdup_printf("  %s %s%s   %s", frames[i % 4], watch->doing,
                g_cancellable_is_cancelled(watch->cli->cancellable) ? ", aborting" : "", time);
            nest_output_transient(watch->cli->output, text);
        }
        g_cond_wait_until(&watch->cond, &watch->mutex, now + TICK_USEC);
    }
    nest_output_transient(watch->cli->output, NULL);
    g_mutex_unlock(&watch->mutex);
    return NULL;
}

static void on_interrupt(GCancellable *cancellable, gpointer user_data)
{
    Watch *watch = user_data;
    g_mutex_lock(&watch->mutex);
    nest_output_note(watch->cli->output,
        "Asking nestd to abort, and waiting for how it ends. Ctrl-C again: do not wait.");
    g_mutex_unlock(&watch->mutex);
}

static NestOperation *follow(NestCli *cli, const NestOperation *operation, GError **error)
{
    Watch watch = {.cli = cli};
    g_mutex_init(&watch.mutex);
    g_cond_init(&watch.cond);
    gulong handler =
        g_cancellable_connect(cli->cancellable, G_CALLBACK(on_interrupt), &watch, NULL);
    GThread *ticker =
        nest_output_has_transient(cli->output) ? g_thread_new("ticker", tick, &watch) : NULL;
    NestOperation *ended =
        nest_client_follow(cli->client, operation, on_progress, &watch, cli->cancellable, error);
    g_cancellable_disconnect(cli->cancellable, handler);
    g_mutex_lock(&watch.mutex);
    watch.ended = TRUE;
    g_cond_signal(&watch.cond);
    g_mutex_unlock(&watch.mutex);
    if (ticker != NULL)
        g_thread_join(ticker);
    g_mutex_clear(&watch.mutex);
    g_cond_clear(&watch.cond);
    g_free(watch.doing);
    return ended;
}

static void print_taken_back(NestOutput *output, const NestOperation *operation)
{
    guint width = title_width(output, operation), left = 0;
    for (guint i = 0; i < operation->steps->len; i++) {
        const NestStep *step = g_ptr_array_index(operation->steps, i);
        if (step->state == NEST_STEP_UNDONE)
            print_step(output, step, width);
        left += step->state == NEST_STEP_DONE;
    }
    if (operation->state != NEST_OP_FAILED)
        nest_output_line(output, "Everything is as before.");
    else if (left > 0)
        nest_output_line(output, "What was done before that has not been taken back.");
}

static gboolean outcome(
    NestCli *cli, const NestOperation *operation, const char *done, GError **error)
{
    nest_cli_answer(cli);
    if (operation->state == NEST_OP_DONE) {
        if (g_cancellable_is_cancelled(cli->cancellable))
            nest_output_line(cli->output, "It was too late to abort.");
        nest_output_line(cli->output, "%s", done);
        if (operation->note != NULL)
            nest_output_wrapped(cli->output, NEST_STYLE_PLAIN, 0, operation->note);
        return TRUE;
    }
    print_taken_back(cli->output, operation);
    if (operation->note != NULL)
        nest_output_wrapped(cli->output, NEST_STYLE_PLAIN, 0, operation->note);
    if (operation->problem != NULL)
        nest_problem_to_error(operation->problem, error);
    else
        nest_set_error(error,
            operation->state == NEST_OP_ABORTED ? NEST_ERROR_ABORTED : NEST_ERROR_INTERNAL, NULL,
            "operation %" G_GINT64_FORMAT " ended as %s", operation->id,
            nest_nick(nest_operation_state_nicks, operation->state));
    return FALSE;
}

gboolean nest_progress_follow(
    NestCli *cli, const NestOperation *operation, const char *done, GError **error)
{
    if (cli->arguments->no_wait) {
        if (!nest_cli_answer(cli))
            nest_output_line(cli->output,
                "Operation %" G_GINT64_FORMAT " has begun. How it goes: nestctl operation "
                "%" G_GINT64_FORMAT,
                operation->id, operation->id);
        return TRUE;
    }
    g_autoptr(NestOperation) ended = follow(cli, operation, error);
    return ended != NULL && outcome(cli, ended, done, error);
}
