/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-stream.h"
#include "nest-error.h"
#include <string.h>

#define STEP_FIRST (16 * 1024)
#define STEP_MIN 1024
#define FAST_US (700 * 1000)
#define SLOW_US (2000 * 1000)
#define STUCK_US (60 * G_USEC_PER_SEC)
#define FORGOTTEN "has not been found" /* of QEMU's agent: handle 'NUMBER' has not been found */

gboolean nest_guest_stream_open(NestGuestStream *stream, NestGuestTalk *talk, const char *path,
    const char *mode, GError **error)
{
    g_autofree char *answer = NULL;
    stream->moved = g_get_monotonic_time();
    return nest_guest_talk_ask(talk, nest_agent_exec_ask_open(path, mode), &answer, error) &&
        nest_agent_exec_read_open(answer, &stream->handle, error);
}

/* From here on it is lost, until the caller has understood the answer. */
static gboolean ask_there(
    NestGuestStream *stream, NestGuestTalk *talk, char *question, char **ret_answer, GError **error)
{
    g_autofree char *taken = question, *moved = NULL;
    if (stream->lost &&
        !nest_guest_talk_ask(
            talk, nest_agent_exec_ask_seek(stream->handle, stream->offset, "set"), &moved, error))
        return FALSE;
    stream->lost = TRUE;
    return nest_guest_talk_ask(talk, g_steal_pointer(&taken), ret_answer, error);
}

static guint step_of(const NestGuestStream *stream)
{
    return stream->step != 0 ? stream->step : STEP_FIRST;
}

/* What takes long is done in smaller steps, so that each has its answer in time. */
static void adapt(NestGuestStream *stream, gboolean answered, gint64 began)
{
    gint64 took = g_get_monotonic_time() - began;
    guint step = step_of(stream);
    if (!answered)
        stream->step = MAX(step / 4, STEP_MIN);
    else if (took > SLOW_US)
        stream->step = MAX(step / 2, STEP_MIN);
    else if (took < FAST_US)
        stream->step = MIN(step * 2, NEST_GUEST_STEP_MAX);
}

/* Nothing without the end does not get it on. */
static void found(NestGuestStream *stream, gsize moved, gboolean end)
{
    stream->lost = FALSE;
    stream->offset += moved;
    if (moved > 0 || end)
        stream->moved = g_get_monotonic_time();
}

gboolean nest_guest_stream_read(NestGuestStream *stream, NestGuestTalk *talk, GBytes **ret_piece,
    gboolean *ret_end, GError **error)
{
    g_autofree char *answer = NULL;
    guint count = step_of(stream);
    gint64 began = g_get_monotonic_time();
    gboolean answered =
        ask_there(stream, talk, nest_agent_exec_ask_chunk(stream->handle, count), &answer, error);
    adapt(stream, answered, began);
    if (!answered || !nest_agent_exec_read_chunk(answer, count, ret_piece, ret_end, error))
        return FALSE;
    found(stream, g_bytes_get_size(*ret_piece), *ret_end);
    return TRUE;
}

gboolean nest_guest_stream_write(
    NestGuestStream *stream, NestGuestTalk *talk, GBytes *piece, gsize *ret_written, GError **error)
{
    g_autofree char *answer = NULL;
    gsize length = MIN(g_bytes_get_size(piece), step_of(stream));
    g_autoptr(GBytes) step = g_bytes_new_from_bytes(piece, 0, length);
    gint64 began = g_get_monotonic_time();
    gboolean answered =
        ask_there(stream, talk, nest_agent_exec_ask_write(stream->handle, step), &answer, error);
    adapt(stream, answered, began);
    if (!answered || !nest_agent_exec_read_written(answer, length, ret_written, error))
        return FALSE;
    found(stream, *ret_written, FALSE);
    return TRUE;
}

/* An agent that was started again has no file open: that is told as what it is. */
static gboolean is_forgotten(GError **error)
{
    if (!g_error_matches(*error, NEST_ERROR, NEST_ERROR_HYPERVISOR) ||
        strstr((*error)->message, FORGOTTEN) == NULL)
        return FALSE;
    g_clear_error(error);
    nest_guest_talk_forgotten("the file", error);
    return TRUE;
}

gboolean nest_guest_stream_is_stuck(const NestGuestStream *stream)
{
    return g_get_monotonic_time() - stream->moved > STUCK_US;
}

/* The answers that come to questions between, as where it stands, are none that get it on. */
gboolean nest_guest_stream_is_patient(
    const NestGuestStream *stream, const NestGuestTalk *talk, GError **error)
{
    if (is_forgotten(error) || nest_guest_stream_is_stuck(stream))
        return FALSE;
    return nest_guest_talk_is_patient(talk, error);
}

gboolean nest_guest_stream_flush(NestGuestStream *stream, NestGuestTalk *talk, GError **error)
{
    g_autofree char *answer = NULL;
    return nest_guest_talk_ask(talk, nest_agent_exec_ask_flush(stream->handle), &answer, error);
}

/* A file without a place, as a device, says no, and stays as it is. */
guint64 nest_guest_stream_size(NestGuestStream *stream, NestGuestTalk *talk)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *answer = NULL;
    guint64 size = 0;
    gboolean told = nest_guest_talk_ask(
        talk, nest_agent_exec_ask_seek(stream->handle, 0, "end"), &answer, &cause);
    stream->lost = stream->lost || !g_error_matches(cause, NEST_ERROR, NEST_ERROR_HYPERVISOR);
    return told && nest_agent_exec_read_place(answer, &size, NULL) ? size : 0;
}

gboolean nest_guest_stream_close(NestGuestStream *stream, NestGuestTalk *talk)
{
    g_autofree char *answer = NULL;
    gint64 handle = stream->handle;
    stream->handle = -1;
    return handle < 0 ||
        nest_guest_talk_ask(talk, nest_agent_exec_ask_close(handle), &answer, NULL);
}
