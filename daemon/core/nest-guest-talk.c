/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-talk.h"
#include "nest-error.h"
#include "nest-guest-read.h"

#define PATIENCE_SECONDS 30

void nest_guest_talk_init(NestGuestTalk *talk, NestBackend *backend, const char *uuid)
{
    *talk = (NestGuestTalk){backend, uuid, FALSE, g_get_monotonic_time()};
}

gboolean nest_guest_talk_ask(NestGuestTalk *talk, char *question, char **ret_answer, GError **error)
{
    g_autofree char *taken = question;
    talk->silent = !talk->backend->ops->agent(
        talk->backend, talk->uuid, taken, NEST_GUEST_ANSWER_SECONDS, ret_answer, error);
    if (talk->silent)
        return FALSE;
    talk->heard = g_get_monotonic_time();
    return TRUE;
}

gboolean nest_guest_talk_is_patient(const NestGuestTalk *talk, GError **error)
{
    if (!talk->silent || !g_error_matches(*error, NEST_ERROR, NEST_ERROR_GUEST_AGENT) ||
        g_get_monotonic_time() - talk->heard > PATIENCE_SECONDS * G_USEC_PER_SEC)
        return FALSE;
    g_clear_error(error);
    return TRUE;
}

void nest_guest_talk_forgotten(const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_GUEST_AGENT, "try again",
        "the guest's agent does not know %s any more: it, or the guest, was restarted meanwhile",
        what);
}

void nest_guest_talk_rest(guint ms, GCancellable *cancellable)
{
    GPollFD fd;
    if (!g_cancellable_make_pollfd(cancellable, &fd)) {
        g_usleep(ms * 1000UL);
        return;
    }
    g_poll(&fd, 1, (gint)ms);
    g_cancellable_release_fd(cancellable);
}
