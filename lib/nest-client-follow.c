/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"

/* How long nestd may be away (a restart, an update) before following gives up. */
#define AWAY_SECONDS 30
#define RETRY_MS 250

typedef struct {
    NestClient *client;
    gint64 id;
    NestProgressFunc progress;
    gpointer user_data;
    GCancellable *cancellable; /* NULL once an abort has been asked for */
    gint64 away_since; /* monotonic; 0: it answers */
    char *seen; /* what progress was last told, as JSON */
} Follower;

static gboolean is_away(const GError *error)
{
    return g_error_matches(error, NEST_ERROR, NEST_ERROR_UNREACHABLE) ||
        g_error_matches(error, NEST_ERROR, NEST_ERROR_TIMEOUT);
}

/* Waits before the next try; FALSE with the error once it has been away for too long. */
static gboolean wait_away(Follower *follower, GError *cause, GError **error)
{
    gint64 now = g_get_monotonic_time();
    if (follower->away_since == 0)
        follower->away_since = now;
    if (now - follower->away_since > AWAY_SECONDS * G_USEC_PER_SEC) {
        nest_set_error(error, nest_error_code(cause),
            "the operation goes on without nestctl; ask later: nestctl operations", "%s",
            cause->message);
        g_error_free(cause);
        return FALSE;
    }
    g_error_free(cause);
    g_usleep(RETRY_MS * 1000);
    return TRUE;
}

static NestOperation *poll_once(Follower *follower, GError **error)
{
    /* The daemon answers when the operation ends; whoever shows steps asks more often. */
    g_autofree char *path = g_strdup_printf("/v1/operations/%" G_GINT64_FORMAT "?wait=%d",
        follower->id, follower->progress != NULL ? 1 : NEST_CLIENT_LONG_POLL);
    g_autoptr(SoupMessage) message = nest_client_message("GET", path, NULL, NULL);
    g_autoptr(json_t) json = NULL;
    if (!nest_client_request(follower->client, message, &json, follower->cancellable, error))
        return NULL;
    return nest_client_decode(&nest_operation_record, json, error);
}

static void tell(Follower *follower, const NestOperation *operation)
{
    if (follower->progress == NULL)
        return;
    g_autofree char *text = nest_codec_to_text(&nest_operation_record, operation);
    if (g_strcmp0(text, follower->seen) == 0)
        return;
    g_free(follower->seen);
    follower->seen = g_steal_pointer(&text);
    follower->progress(operation, follower->user_data);
}

/* Asks to abort, once it can be asked. That it ended already is no error: how is told next. */
static gboolean ask_abort(Follower *follower, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (!nest_client_abort(follower->client, follower->id, NULL, &cause)) {
        if (is_away(cause))
            return wait_away(follower, g_steal_pointer(&cause), error);
        if (!g_error_matches(cause, NEST_ERROR, NEST_ERROR_VM_STATE)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
    }
    follower->away_since = 0;
    follower->cancellable = NULL;
    return TRUE;
}

/* One round: *ret_operation is what was heard, or NULL where it is to be asked again. */
static gboolean ask(Follower *follower, NestOperation **ret_operation, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (follower->cancellable != NULL && g_cancellable_is_cancelled(follower->cancellable) &&
        !ask_abort(follower, error))
        return FALSE;
    if (follower->cancellable != NULL && g_cancellable_is_cancelled(follower->cancellable))
        return TRUE;
    NestOperation *operation = poll_once(follower, &cause);
    if (operation == NULL) {
        if (is_away(cause))
            return wait_away(follower, g_steal_pointer(&cause), error);
        if (g_error_matches(cause, NEST_ERROR, NEST_ERROR_ABORTED) &&
            g_cancellable_is_cancelled(follower->cancellable))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    follower->away_since = 0;
    *ret_operation = operation;
    return TRUE;
}

NestOperation *nest_client_follow(NestClient *client, const NestOperation *operation,
    NestProgressFunc progress, gpointer user_data, GCancellable *cancellable, GError **error)
{
    Follower follower = {client, operation->id, progress, user_data, cancellable, 0, NULL};
    g_autoptr(NestOperation) heard = nest_operation_copy(operation);
    tell(&follower, heard);
    while (!nest_operation_ended(heard)) {
        NestOperation *next = NULL;
        if (!ask(&follower, &next, error)) {
            g_free(follower.seen);
            return NULL;
        }
        if (next == NULL)
            continue;
        nest_operation_free(heard);
        heard = next;
        tell(&follower, heard);
    }
    g_free(follower.seen);
    return g_steal_pointer(&heard);
}
