/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-agent-shape.h"
#include "nest-codec.h"
#include "nest-error.h"

#define SHOWN_MAX 200

typedef struct {
    gpointer record;
    gint64 number;
} Answer;

static Answer *read_frame(
    const char *label, const NestField *field, const char *answer, GError **error)
{
    g_autoptr(GError) cause = NULL;
    const NestRecord frame = {"answer of the guest agent", sizeof(Answer), field, 1};
    Answer *read = nest_codec_from_text(&frame, answer, -1, NEST_CODEC_LENIENT, &cause);
    if (read != NULL)
        return read;
    g_autofree char *start = g_strndup(answer, SHOWN_MAX);
    g_autofree char *shown = g_utf8_make_valid(start, -1);
    nest_set_error(error, NEST_ERROR_GUEST_AGENT,
        "the guest does not run QEMU's guest agent as it should: reinstall it there",
        "the guest agent's answer to %s can't be understood (%s): %s", label, cause->message,
        shown);
    return NULL;
}

gpointer nest_agent_shape_read(const NestRecord *shape, const char *answer, GError **error)
{
    const NestField field = ROW(Answer, record, "return", RECORD, REQUIRED, shape);
    g_autofree Answer *read = read_frame(shape->name, &field, answer, error);
    return read != NULL ? read->record : NULL;
}

gboolean nest_agent_shape_number(
    const char *label, const char *answer, gint64 *ret_number, GError **error)
{
    const NestField field = ROW(Answer, number, "return", INT64, REQUIRED, NULL);
    g_autofree Answer *read = read_frame(label, &field, answer, error);
    if (read == NULL)
        return FALSE;
    *ret_number = read->number;
    return TRUE;
}
