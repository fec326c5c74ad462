/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-runner.h"

/* Opening the hypervisor, again and again until it is there, and what follows the first time:
 * recovery. That may take long, and wait for the connection to be opened anew meanwhile: so there
 * may be two at work, of which only one recovers. */

#define REOPEN_SECONDS_MAX 30

typedef struct {
    NestCore *core;
    gboolean recover;
    NestHostSnapshot *host; /* NULL: failed with error */
    GPtrArray *unrecorded; /* NestJob: recovered, and not in the store */
    GError *error;
} Opening;

static void opening_free(Opening *opening)
{
    nest_host_snapshot_unref(opening->host);
    g_ptr_array_unref(opening->unrecorded);
    g_clear_error(&opening->error);
    g_free(opening);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Opening, opening_free)

/* FALSE where the hypervisor went away: it is recovered once that is back. */
static gboolean recover_one(
    Opening *opening, NestIntent *intent, NestHostSnapshot *host, GError **error)
{
    NestCore *core = opening->core;
    g_autofree char *kind = g_strdup(intent->operation->kind);
    gint64 id = intent->operation->id;
    g_autoptr(NestJob) job = nest_job_from_intent(intent);
    if (job == NULL) {
        g_warning(
            "operation %" G_GINT64_FORMAT " is of a kind unknown to this version: %s", id, kind);
        return TRUE;
    }
    job->config = core->config;
    job->recipes = core->recipes->entries;
    job->store = core->store;
    job->backend = core->backend;
    job->hands = core->hands;
    job->marks = core->marks;
    if (!nest_runner_recover(job, host, error))
        return FALSE;
    const NestOperation *operation = job->intent->operation;
    g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "NEST_VM",
        operation->uuid != NULL ? operation->uuid : "-", "MESSAGE",
        "recovered operation %" G_GINT64_FORMAT " (%s %s): %s%s%s", id, kind,
        operation->name != NULL       ? operation->name
            : operation->uuid != NULL ? operation->uuid
                                      : "the host",
        nest_nick(nest_operation_state_nicks, operation->state),
        operation->note != NULL ? "; " : "", operation->note != NULL ? operation->note : "");
    if (job->unrecorded)
        g_ptr_array_add(opening->unrecorded, g_steal_pointer(&job));
    return TRUE;
}

static gboolean recover_all(Opening *opening, NestHostSnapshot *host, GError **error)
{
    g_autoptr(GPtrArray) intents = NULL;
    if (!nest_store_unfinished(opening->core->store, &intents, error))
        return FALSE;
    for (guint i = 0; i < intents->len; i++)
        if (!recover_one(opening, g_steal_pointer(&intents->pdata[i]), host, error))
            return FALSE;
    return TRUE;
}

static void opened(gpointer data);

static void open_work(gpointer data)
{
    Opening *opening = data;
    NestCore *core = opening->core;
    NestBackendCaps *caps = NULL;
    if (core->backend->ops->open(core->backend, &opening->error) &&
        core->backend->ops->caps(core->backend, &caps, &opening->error)) {
        g_autoptr(NestNetDefinitions) definitions = nest_net_definitions_take(core->backend);
        NestHostSnapshot *host = nest_host_snapshot_take_with(core->place, caps, definitions);
        if (!opening->recover || recover_all(opening, host, &opening->error))
            opening->host = g_steal_pointer(&host);
        nest_host_snapshot_unref(host);
    }
    nest_backend_caps_free(caps);
    nest_core_post(opened, opening);
}

void nest_core_open(NestCore *core)
{
    Opening *opening = g_new0(Opening, 1);
    opening->core = core;
    opening->unrecorded = g_ptr_array_new_with_free_func((GDestroyNotify)nest_job_free);
    opening->recover = !core->recovered && !core->recovering;
    *(opening->recover ? &core->recovering : &core->reopening) = TRUE;
    core->state = NEST_CORE_OPENING;
    core->listed = FALSE;
    nest_core_push(core, core->readers, open_work, opening);
}

typedef struct {
    NestCore *core;
    NestBackendEvent event;
    char *uuid;
} Tidings;

static void on_tidings(gpointer data)
{
    Tidings *tidings = data;
    if (tidings->event == NEST_BACKEND_LOST) {
        g_autoptr(GError) error = NULL;
        nest_set_error(&error, NEST_ERROR_BACKEND_UNAVAILABLE, "nestd opens it again by itself",
            "the connection to the hypervisor broke");
        nest_core_lost(tidings->core, error);
    } else {
        nest_core_mark_dirty(tidings->core, tidings->uuid);
    }
    g_free(tidings->uuid);
    g_free(tidings);
}

void nest_core_on_backend(NestBackendEvent event, const char *uuid, gpointer user_data)
{
    Tidings *tidings = g_new(Tidings, 1);
    *tidings = (Tidings){user_data, event, g_strdup(uuid)};
    nest_core_post(on_tidings, tidings);
}

static gboolean on_reopen_timer(gpointer data)
{
    NestCore *core = data;
    if (core->reopening)
        return G_SOURCE_CONTINUE;
    core->reopen_timer = 0;
    nest_core_open(core);
    return G_SOURCE_REMOVE;
}

void nest_core_lost(NestCore *core, const GError *error)
{
    if (core->stopping || core->reopen_timer != 0)
        return;
    core->state = NEST_CORE_UNAVAILABLE;
    nest_problem_free(core->problem);
    core->problem = nest_problem_from_error(error);
    core->reopen_seconds = CLAMP(core->reopen_seconds * 2, 1, REOPEN_SECONDS_MAX);
    core->reopen_timer = g_timeout_add_seconds(core->reopen_seconds, on_reopen_timer, core);
    g_warning("the hypervisor is unavailable: %s; trying again in %u s", error->message,
        core->reopen_seconds);
    nest_core_refuse_waiting(core);
}

static void note_recovered(Opening *opening)
{
    opening->core->recovered = TRUE;
    for (guint i = 0; i < opening->unrecorded->len; i++)
        nest_core_keep_unrecorded(opening->core, g_steal_pointer(&opening->unrecorded->pdata[i]));
}

static void opened(gpointer data)
{
    g_autoptr(Opening) opening = data;
    NestCore *core = opening->core;
    *(opening->recover ? &core->recovering : &core->reopening) = FALSE;
    if (opening->host == NULL) {
        nest_core_lost(core, opening->error);
        return;
    }
    if (opening->recover)
        note_recovered(opening);
    core->reopen_seconds = 0;
    /* It is open once recovery has ended, and unless the connection broke again. */
    if (core->recovering || core->reopening || core->reopen_timer != 0)
        return;
    core->state = NEST_CORE_OPEN;
    g_clear_pointer(&core->problem, nest_problem_free);
    nest_core_set_host(core, nest_host_snapshot_ref(opening->host));
    nest_core_reconcile(core);
    nest_core_run_waiting(core);
    g_autoptr(NestHost) host = nest_core_show_host(core);
    nest_core_prove_again(core, host);
}
