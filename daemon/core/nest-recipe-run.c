/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-recipe-run.h"
#include "nest-agent.h"
#include "nest-error.h"
#include "nest-guest-exec.h"
#include "nest-guest-look.h"
#include "nest-guest-read.h"
#include "nest-guest-script.h"
#include "nest-guest-windows.h"
#include <string.h>

#define LIKE_SECONDS 10
#define SAID_MAX 600
#define OUTPUT_MAX 4096
#define LOOK_AGAIN_MS 500
#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* PowerShell may begin with it */

/* Each command by a shell of its own, which may exit as it likes. */
static const char look_script[] =
    "for check; do /bin/sh -c \"$check\" >/dev/null 2>&1 </dev/null; echo $?; done\n";
static const char like_script[] = ". /etc/os-release && echo \"$ID_LIKE\"";

/* ---- the two shells ---- */

static char *quote_for_powershell(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);
    g_autofree char *doubled = g_strjoinv("''", parts);
    return g_strdup_printf("'%s'", doubled);
}

static char *powershell_looks(const GPtrArray *checks)
{
    GString *script = g_string_new("foreach ($check in @(");
    for (guint i = 0; i < checks->len; i++) {
        g_autofree char *quoted = quote_for_powershell(g_ptr_array_index(checks, i));
        g_string_append_printf(script, "%s%s", i > 0 ? "," : "", quoted);
    }
    g_string_append(script,
        ")) { try { $state = & ([scriptblock]::Create($check)) | Select-Object -Last 1 }"
        " catch { $state = 1 }; if ($null -eq $state) { $state = 1 }; \"$([int]$state)\" }");
    return g_string_free(script, FALSE);
}

/* The program and its arguments for checks (array of borrowed strings). */
static GStrv look_command(NestShell shell, const GPtrArray *checks)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    if (shell == NEST_SHELL_POWERSHELL) {
        g_autofree char *script = powershell_looks(checks);
        return nest_guest_windows_script(script);
    }
    g_strv_builder_add_many(words, "/bin/sh", "-c", look_script, "sh", NULL);
    for (guint i = 0; i < checks->len; i++)
        g_strv_builder_add(words, g_ptr_array_index(checks, i));
    return g_strv_builder_end(words);
}

/* Its standard output, and the error where there is one. */
static char *run(NestBackend *backend, const char *uuid, const char *const *command, guint seconds,
    GCancellable *cancellable, gint64 *ret_status, GError **error)
{
    const NestGuestScript script = {
        .path = command[0], .arguments = command + 1, .seconds = seconds, .output_max = OUTPUT_MAX};
    g_auto(NestGuestOutcome) outcome = {0};
    if (!nest_guest_script_run(backend, uuid, &script, cancellable, &outcome, error))
        return NULL;
    gsize length = 0;
    const char *data = g_bytes_get_data(outcome.output, &length);
    *ret_status = outcome.signal != 0 ? 128 + (gint64)outcome.signal : outcome.status;
    return length > 0 ? g_utf8_make_valid(data, (gssize)length)
                      : g_strdup(outcome.said != NULL ? outcome.said : "");
}

gboolean nest_recipe_rest(GCancellable *cancellable, GError **error)
{
    GPollFD fd;
    if (!g_cancellable_make_pollfd(cancellable, &fd)) {
        g_usleep(LOOK_AGAIN_MS * 1000UL);
        return TRUE;
    }
    g_poll(&fd, 1, LOOK_AGAIN_MS);
    g_cancellable_release_fd(cancellable);
    if (!g_cancellable_is_cancelled(cancellable))
        return TRUE;
    nest_set_error(error, NEST_ERROR_ABORTED, NULL, "it was aborted on request");
    return FALSE;
}

/* ---- what is there ---- */

void nest_recipe_look_free(NestRecipeLook *look)
{
    if (look == NULL)
        return;
    nest_guest_free(look->guest);
    nest_guest_facts_free(look->windows);
    nest_guest_system_clear(&look->system);
    g_array_unref(look->needs);
    g_array_unref(look->steps);
    g_array_unref(look->proofs);
    g_free(look);
}

static gboolean read_system(
    NestBackend *backend, const char *uuid, NestGuestSystem *system, GError **error)
{
    g_autofree char *question = nest_agent_ask("guest-get-osinfo"), *answer = NULL;
    return backend->ops->agent(
               backend, uuid, question, NEST_GUEST_ANSWER_SECONDS, &answer, error) &&
        nest_agent_read_system(answer, system, error);
}

/* A guest that does not say is like none. */
static gboolean read_like(
    NestBackend *backend, const char *uuid, NestGuestSystem *system, GError **error)
{
    const char *const command[] = {"/bin/sh", "-c", like_script, NULL};
    gint64 status = 0;
    g_autofree char *words = run(backend, uuid, command, LIKE_SECONDS, NULL, &status, error);
    if (words == NULL)
        return FALSE;
    system->like = g_strsplit(g_strstrip(words), " ", -1);
    return TRUE;
}

static gboolean check_exec(const NestGuest *guest, GError **error)
{
    if (guest->exec)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_UNFIT, guest->blocked_setting,
        "the guest agent may not run commands, or not read files");
    return FALSE;
}

NestRecipeLook *nest_recipe_find(
    NestBackend *backend, const char *uuid, const GPtrArray *recipes, GError **error)
{
    g_autoptr(NestRecipeLook) look = g_new0(NestRecipeLook, 1);
    look->needs = g_array_new(FALSE, TRUE, sizeof(NestRecipeState));
    look->steps = g_array_new(FALSE, TRUE, sizeof(NestRecipeState));
    look->proofs = g_array_new(FALSE, TRUE, sizeof(NestRecipeState));
    look->guest = nest_guest_read(backend, uuid, error);
    if (look->guest == NULL || !check_exec(look->guest, error) ||
        !read_system(backend, uuid, &look->system, error))
        return NULL;
    look->recipe = nest_recipe_match(recipes, &look->system);
    if (look->guest->family == NEST_GUEST_FAMILY_WINDOWS)
        look->windows = nest_guest_look(backend, uuid, NULL);
    if (look->recipe != NULL || look->guest->family != NEST_GUEST_FAMILY_LINUX)
        return g_steal_pointer(&look);
    if (!read_like(backend, uuid, &look->system, error))
        return NULL;
    look->recipe = nest_recipe_match(recipes, &look->system);
    return g_steal_pointer(&look);
}

static void add_facts(GPtrArray *checks, const GPtrArray *facts)
{
    for (guint i = 0; i < facts->len; i++) {
        const NestRecipeFact *fact = g_ptr_array_index(facts, i);
        g_ptr_array_add(checks, fact->check);
    }
}

/* All in one go: a guest takes its time for each process. */
static GPtrArray *all_checks(const NestRecipe *recipe)
{
    GPtrArray *checks = g_ptr_array_new();
    add_facts(checks, recipe->needs);
    for (guint i = 0; i < recipe->steps->len; i++) {
        const NestRecipeStep *step = g_ptr_array_index(recipe->steps, i);
        g_ptr_array_add(checks, step->check);
    }
    add_facts(checks, recipe->proofs);
    return checks;
}

static NestRecipeState state_of(const char *number)
{
    if (strcmp(number, "0") == 0)
        return NEST_RECIPE_THERE;
    return strcmp(number, "3") == 0 ? NEST_RECIPE_AFTER_RESTART : NEST_RECIPE_MISSING;
}

static char **take_states(GArray *states, guint n, char **numbers)
{
    g_array_set_size(states, 0);
    for (guint i = 0; i < n; i++) {
        NestRecipeState state = state_of(numbers[i]);
        g_array_append_val(states, state);
    }
    return numbers + n;
}

gboolean nest_recipe_look(NestBackend *backend, const char *uuid, NestRecipeLook *look,
    guint seconds, GCancellable *cancellable, GError **error)
{
    const NestRecipe *recipe = look->recipe;
    g_autoptr(GPtrArray) checks = all_checks(recipe);
    g_auto(GStrv) command = look_command(recipe->shell, checks);
    gint64 status = 0;
    g_autofree char *said =
        run(backend, uuid, (const char *const *)command, seconds, cancellable, &status, error);
    if (said == NULL)
        return FALSE;
    const char *text =
        g_str_has_prefix(said, BYTE_ORDER_MARK) ? said + strlen(BYTE_ORDER_MARK) : said;
    g_autofree char *plain = g_strstrip(g_strdup(text));
    g_auto(GStrv) numbers = g_strsplit_set(g_strdelimit(plain, "\r", ' '), "\n", -1);
    for (char **number = numbers; *number != NULL; number++)
        g_strstrip(*number);
    if (g_strv_length(numbers) != checks->len) {
        g_autofree char *shown = g_utf8_substring(said, 0, MIN(g_utf8_strlen(said, -1), SAID_MAX));
        nest_set_error(error, NEST_ERROR_VM_UNFIT, "the guest needs a shell that works",
            "what is installed in the guest could not be looked at; it said: %s",
            *shown != '\0' ? shown : "nothing");
        return FALSE;
    }
    char **rest = take_states(look->needs, recipe->needs->len, numbers);
    rest = take_states(look->steps, recipe->steps->len, rest);
    take_states(look->proofs, recipe->proofs->len, rest);
    return TRUE;
}

/* ---- doing ---- */

/* The end of what was printed, as words of one sentence. */
static char *last_words(const char *said, gsize length)
{
    gsize from = length > SAID_MAX ? length - SAID_MAX : 0;
    g_autofree char *valid = g_utf8_make_valid(said + from, (gssize)(length - from));
    g_auto(GStrv) lines = g_strsplit_set(valid, "\r\n", -1);
    GString *words = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++)
        if (*g_strstrip(*line) != '\0')
            g_string_append_printf(words, "%s%s", words->len > 0 ? " | " : "", *line);
    return g_string_free(words, FALSE);
}

static gboolean judge(
    const NestRecipeStep *step, gint64 status, const char *said, gsize length, GError **error)
{
    g_autofree char *words = last_words(said, length);
    if (status == 0)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_UNFIT,
        "mend that in the guest and try again; what is there already is left alone",
        "\"%s\" ended with status %" G_GINT64_FORMAT " in the guest: %s", step->title, status,
        *words != '\0' ? words : "it printed nothing");
    return FALSE;
}

/* What is kept of it. */
static void on_output(gboolean err, GBytes *chunk, gpointer user_data)
{
    GString *said = user_data;
    gsize length = 0;
    const char *data = g_bytes_get_data(chunk, &length);
    gsize more = MIN(length, SAID_MAX);
    if (more == 0)
        return;
    g_string_append_len(said, data + length - more, (gssize)more);
    if (said->len > SAID_MAX)
        g_string_erase(said, 0, (gssize)(said->len - SAID_MAX));
}

static gboolean fire(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_CONTINUE;
}

static void on_abort(GCancellable *abort, gpointer timer)
{
    g_cancellable_cancel(timer);
}

/* timer fires with cancellable, and when the time is over. */
static gboolean run_shell(NestBackend *backend, const char *uuid, const NestExecWish *wish,
    guint seconds, GCancellable *cancellable, GString *said, gint64 *ret_status, GError **error)
{
    g_autoptr(GCancellable) timer = g_cancellable_new();
    gboolean begun = FALSE;
    guint signal = 0;
    guint source = g_timeout_add_seconds_full(
        G_PRIORITY_DEFAULT, seconds, fire, g_object_ref(timer), g_object_unref);
    gulong aborting = g_cancellable_connect(
        cancellable, G_CALLBACK(on_abort), g_object_ref(timer), g_object_unref);
    gboolean good = nest_guest_exec_run(
        backend, NULL, uuid, wish, on_output, said, timer, &begun, ret_status, &signal, error);
    g_cancellable_disconnect(cancellable, aborting);
    g_source_remove(source);
    if (signal != 0)
        *ret_status = 128 + (gint64)signal;
    return good;
}

static gboolean apply_shell(NestBackend *backend, const char *uuid, const NestRecipeStep *step,
    guint seconds, GCancellable *cancellable, GError **error)
{
    g_autofree char *script = nest_recipe_step_command(step);
    const char *const words[] = {"/bin/sh", "-c", script, NULL};
    const NestExecWish wish = {.command = (GStrv)words};
    g_autoptr(GString) said = g_string_new(NULL);
    g_autoptr(GError) cause = NULL;
    gint64 status = 0;
    if (run_shell(backend, uuid, &wish, seconds, cancellable, said, &status, &cause))
        return judge(step, status, said->str, said->len, error);
    g_autofree char *last = last_words(said->str, said->len);
    if (nest_error_code(cause) != NEST_ERROR_ABORTED || g_cancellable_is_cancelled(cancellable))
        g_propagate_error(error, g_steal_pointer(&cause));
    else
        nest_set_error(error, NEST_ERROR_TIMEOUT,
            "look at it in the guest and try again; what is there already is left alone",
            "\"%s\" did not end within %u minutes in the guest, and was killed; it said: %s",
            step->title, seconds / 60, *last != '\0' ? last : "nothing");
    return FALSE;
}

static gboolean apply_powershell(NestBackend *backend, const char *uuid, const NestRecipeStep *step,
    guint seconds, GCancellable *cancellable, GError **error)
{
    g_autofree char *script = nest_recipe_step_command(step);
    g_auto(GStrv) command = nest_guest_windows_script(script);
    gint64 status = 0;
    g_autofree char *said =
        run(backend, uuid, (const char *const *)command, seconds, cancellable, &status, error);
    return said != NULL && judge(step, status, said, strlen(said), error);
}

gboolean nest_recipe_apply(NestBackend *backend, const char *uuid, const NestRecipe *recipe,
    const NestRecipeStep *step, GCancellable *cancellable, GError **error)
{
    guint seconds = MAX(step->minutes, 1) * 60;
    return recipe->shell == NEST_SHELL_POWERSHELL
        ? apply_powershell(backend, uuid, step, seconds, cancellable, error)
        : apply_shell(backend, uuid, step, seconds, cancellable, error);
}

gboolean nest_recipe_may_come(const GError *error)
{
    NestErrorCode code = nest_error_code(error);
    return code == NEST_ERROR_GUEST_AGENT || code == NEST_ERROR_HYPERVISOR ||
        code == NEST_ERROR_TIMEOUT;
}

gboolean nest_recipe_wait(NestBackend *backend, const char *uuid, guint seconds,
    GCancellable *cancellable, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    g_autofree char *question = nest_agent_ask("guest-ping");
    for (;;) {
        g_autofree char *answer = NULL;
        g_autoptr(GError) cause = NULL;
        if (backend->ops->agent(
                backend, uuid, question, NEST_GUEST_ANSWER_SECONDS, &answer, &cause))
            return TRUE;
        if (!nest_recipe_may_come(cause)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        if (g_get_monotonic_time() > deadline) {
            nest_set_error(error, NEST_ERROR_TIMEOUT, "look at its console",
                "the guest was restarted, and its agent does not answer after %u s: %s", seconds,
                cause->message);
            return FALSE;
        }
        if (!nest_recipe_rest(cancellable, error))
            return FALSE;
    }
}
