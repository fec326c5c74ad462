/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-stream.h"
#include "nest-error.h"

gboolean nest_guest_stream_open(NestGuestStream *stream, NestGuestTalk *talk, const char *path,
    const char *mode, GError **error)
{
    g_autofree char *answer = NULL;
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

static void found(NestGuestStream *stream, gsize moved)
{
    stream->lost = FALSE;
    stream->offset += moved;
}

gboolean nest_guest_stream_read(NestGuestStream *stream, NestGuestTalk *talk, guint count,
    GBytes **ret_piece, gboolean *ret_end, GError **error)
{
    g_autofree char *answer = NULL;
    char *question = nest_agent_exec_ask_chunk(stream->handle, count);
    if (!ask_there(stream, talk, question, &answer, error) ||
        !nest_agent_exec_read_chunk(answer, count, ret_piece, ret_end, error))
        return FALSE;
    found(stream, g_bytes_get_size(*ret_piece));
    return TRUE;
}

gboolean nest_guest_stream_write(
    NestGuestStream *stream, NestGuestTalk *talk, GBytes *piece, gsize *ret_written, GError **error)
{
    g_autofree char *answer = NULL;
    char *question = nest_agent_exec_ask_write(stream->handle, piece);
    if (!ask_there(stream, talk, question, &answer, error) ||
        !nest_agent_exec_read_written(answer, g_bytes_get_size(piece), ret_written, error))
        return FALSE;
    found(stream, *ret_written);
    return TRUE;
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
