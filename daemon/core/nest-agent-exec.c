/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-exec.h"
#include "nest-agent-shape.h"
#include "nest-codec.h"
#include "nest-error.h"
#include <string.h>

#define SAID_MAX 1000

/* ---- questions ---- */

typedef struct {
    char *path;
    GStrv arguments;
    gboolean capture;
    char *input;
} Exec;

/* Without input the last row is left out: the agent takes null for nothing. */
static const NestField exec_fields[] = {
    ROW(Exec, path, "path", STRING, REQUIRED, NULL),
    ROW(Exec, arguments, "arg", STRV, REQUIRED, NULL),
    ROW(Exec, capture, "capture-output", BOOL, REQUIRED, NULL),
    ROW(Exec, input, "input-data", STRING, OPTIONAL, NULL),
};

char *nest_agent_exec_ask(const char *path, const char *const *arguments, const char *input)
{
    const Exec exec = {(char *)path, (GStrv)arguments, TRUE, (char *)input};
    const NestRecord record = {"guest-exec", sizeof(Exec), exec_fields,
        G_N_ELEMENTS(exec_fields) - (input == NULL ? 1 : 0)};
    g_autofree char *text = nest_codec_to_text(&record, &exec);
    return g_strdup_printf("{\"execute\":\"guest-exec\",\"arguments\":%s}", text);
}

char *nest_agent_exec_ask_status(gint64 pid)
{
    return g_strdup_printf(
        "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":%" G_GINT64_FORMAT "}}", pid);
}

typedef struct {
    char *path, *mode;
} Open;

static const NestField open_fields[] = {
    ROW(Open, path, "path", STRING, REQUIRED, NULL),
    ROW(Open, mode, "mode", STRING, REQUIRED, NULL),
};
SHAPE(open, Open, "guest-file-open");

char *nest_agent_exec_ask_open(const char *path, const char *mode)
{
    const Open asked = {(char *)path, (char *)mode};
    g_autofree char *text = nest_codec_to_text(&open_record, &asked);
    return g_strdup_printf("{\"execute\":\"guest-file-open\",\"arguments\":%s}", text);
}

char *nest_agent_exec_ask_close(gint64 handle)
{
    return g_strdup_printf(
        "{\"execute\":\"guest-file-close\",\"arguments\":{\"handle\":%" G_GINT64_FORMAT "}}",
        handle);
}

char *nest_agent_exec_ask_chunk(gint64 handle, guint count)
{
    return g_strdup_printf("{\"execute\":\"guest-file-read\",\"arguments\":{\"handle\":"
                           "%" G_GINT64_FORMAT ",\"count\":%u}}",
        handle, count);
}

char *nest_agent_exec_ask_seek(gint64 handle, guint64 offset, const char *whence)
{
    return g_strdup_printf("{\"execute\":\"guest-file-seek\",\"arguments\":{\"handle\":"
                           "%" G_GINT64_FORMAT ",\"offset\":%" G_GUINT64_FORMAT
                           ",\"whence\":\"%s\"}}",
        handle, offset, whence);
}

char *nest_agent_exec_ask_write(gint64 handle, GBytes *piece)
{
    gsize length = 0;
    const guchar *data = g_bytes_get_data(piece, &length);
    g_autofree char *text = g_base64_encode(data, length);
    return g_strdup_printf("{\"execute\":\"guest-file-write\",\"arguments\":{\"handle\":"
                           "%" G_GINT64_FORMAT ",\"buf-b64\":\"%s\"}}",
        handle, text);
}

char *nest_agent_exec_ask_flush(gint64 handle)
{
    return g_strdup_printf(
        "{\"execute\":\"guest-file-flush\",\"arguments\":{\"handle\":%" G_GINT64_FORMAT "}}",
        handle);
}

/* ---- answers ---- */

gboolean nest_agent_exec_is_base64(const char *text)
{
    gsize length = strlen(text);
    gsize padding = length > 0 && text[length - 1] == '=' ? 1 : 0;
    if (padding > 0 && length > 1 && text[length - 2] == '=')
        padding = 2;
    for (gsize i = 0; i < length - padding; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/')
            return FALSE;
    return length % 4 == 0;
}

static gboolean refuse(const char *what, GError **error)
{
    nest_set_error(error, NEST_ERROR_GUEST_AGENT,
        "the guest does not run QEMU's guest agent as it should: reinstall it there",
        "the guest agent's answer can't be understood: %s", what);
    return FALSE;
}

typedef struct {
    gint64 pid;
} Started;

static const NestField started_fields[] = {ROW(Started, pid, "pid", INT64, REQUIRED, NULL)};
SHAPE(started, Started, "guest-exec");

gboolean nest_agent_exec_read(const char *answer, gint64 *ret_pid, GError **error)
{
    g_autofree Started *started = nest_agent_shape_read(&started_record, answer, error);
    if (started == NULL)
        return FALSE;
    if (started->pid <= 0)
        return refuse("a process without number", error);
    *ret_pid = started->pid;
    return TRUE;
}

typedef struct {
    gboolean exited;
    gint64 status, signal;
    char *err;
} Status;

static const NestField status_fields[] = {
    ROW(Status, exited, "exited", BOOL, REQUIRED, NULL),
    ROW(Status, status, "exitcode", INT64, OPTIONAL, NULL),
    ROW(Status, signal, "signal", INT64, OPTIONAL, NULL),
    ROW(Status, err, "err-data", STRING, OPTIONAL, NULL),
};
SHAPE(status, Status, "guest-exec-status");

static char *said(const char *text)
{
    gsize length = 0;
    if (text == NULL || !nest_agent_exec_is_base64(text))
        return NULL;
    g_autofree guchar *data = g_base64_decode(text, &length);
    return g_utf8_make_valid((const char *)data, (gssize)MIN(length, SAID_MAX));
}

gboolean nest_agent_exec_read_status(
    const char *answer, NestAgentStatus *ret_status, GError **error)
{
    Status *status = nest_agent_shape_read(&status_record, answer, error);
    if (status == NULL)
        return FALSE;
    gboolean good = status->signal >= 0 && status->signal <= G_MAXUINT32;
    if (good)
        *ret_status = (NestAgentStatus){
            status->exited, status->status, (guint)status->signal, said(status->err)};
    nest_record_free(&status_record, status);
    return good || refuse("a signal that there is not", error);
}

typedef struct {
    char *out;
    gboolean cut;
} Printed;

static const NestField printed_fields[] = {
    ROW(Printed, out, "out-data", STRING, OPTIONAL, NULL),
    ROW(Printed, cut, "out-truncated", BOOL, OPTIONAL, NULL),
};
SHAPE(printed, Printed, "guest-exec-status");

static gboolean decode_printed(
    const Printed *printed, gsize max, GBytes **ret_printed, GError **error)
{
    const char *text = printed->out != NULL ? printed->out : "";
    gsize length = 0;
    if (!nest_agent_exec_is_base64(text))
        return refuse("output that is not base64", error);
    if (printed->cut || strlen(text) / 4 * 3 > max + 2)
        return refuse("more output than there can be", error);
    guchar *data = g_base64_decode(text, &length);
    *ret_printed = g_bytes_new_take(data, length);
    return TRUE;
}

gboolean nest_agent_exec_read_printed(
    const char *answer, gsize max, GBytes **ret_printed, GError **error)
{
    Printed *printed = nest_agent_shape_read(&printed_record, answer, error);
    if (printed == NULL)
        return FALSE;
    gboolean good = decode_printed(printed, max, ret_printed, error);
    nest_record_free(&printed_record, printed);
    return good;
}

gboolean nest_agent_exec_read_open(const char *answer, gint64 *ret_handle, GError **error)
{
    return nest_agent_shape_number("guest-file-open", answer, ret_handle, error);
}

typedef struct {
    guint64 position;
} Place;

static const NestField place_fields[] = {ROW(Place, position, "position", UINT64, REQUIRED, NULL)};
SHAPE(place, Place, "guest-file-seek");

gboolean nest_agent_exec_read_place(const char *answer, guint64 *ret_place, GError **error)
{
    g_autofree Place *place = nest_agent_shape_read(&place_record, answer, error);
    if (place == NULL)
        return FALSE;
    *ret_place = place->position;
    return TRUE;
}

typedef struct {
    gint64 count;
} Written;

static const NestField written_fields[] = {ROW(Written, count, "count", INT64, REQUIRED, NULL)};
SHAPE(written, Written, "guest-file-write");

gboolean nest_agent_exec_read_written(
    const char *answer, gsize length, gsize *ret_written, GError **error)
{
    g_autofree Written *written = nest_agent_shape_read(&written_record, answer, error);
    if (written == NULL)
        return FALSE;
    if (written->count <= 0 || (guint64)written->count > length)
        return refuse("it wrote another number of bytes than it could", error);
    *ret_written = (gsize)written->count;
    return TRUE;
}

typedef struct {
    gint64 count;
    char *data;
    gboolean eof;
} Chunk;

static const NestField chunk_fields[] = {
    ROW(Chunk, count, "count", INT64, REQUIRED, NULL),
    ROW(Chunk, data, "buf-b64", STRING, REQUIRED, NULL),
    ROW(Chunk, eof, "eof", BOOL, REQUIRED, NULL),
};
SHAPE(chunk, Chunk, "guest-file-read");

static gboolean decode(const Chunk *chunk, guint count, GBytes **ret_chunk, GError **error)
{
    gsize length = 0;
    if (!nest_agent_exec_is_base64(chunk->data))
        return refuse("a part of a file that is not base64", error);
    guchar *data = g_base64_decode(chunk->data, &length);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, length);
    if (chunk->count < 0 || length != (gsize)chunk->count || length > count)
        return refuse("a part of a file of another length than it says or was asked for", error);
    *ret_chunk = g_steal_pointer(&bytes);
    return TRUE;
}

gboolean nest_agent_exec_read_chunk(
    const char *answer, guint count, GBytes **ret_chunk, gboolean *ret_end, GError **error)
{
    Chunk *chunk = nest_agent_shape_read(&chunk_record, answer, error);
    if (chunk == NULL)
        return FALSE;
    gboolean good = decode(chunk, count, ret_chunk, error);
    if (good)
        *ret_end = chunk->eof;
    nest_record_free(&chunk_record, chunk);
    return good;
}
