/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "nest-agent-exec.h"
#include "nest-agent.h"
#include "nest-codec.h"
#include "nest-error.h"

#define COUNT 4096

static void check(gboolean good, GError **error)
{
    g_assert(good == (*error == NULL));
    g_assert(good || nest_error_code(*error) == NEST_ERROR_GUEST_AGENT);
    g_assert(good || g_utf8_validate((*error)->message, -1, NULL));
    g_clear_error(error);
}

static void read_guest(const char *text)
{
    g_autoptr(NestGuest) guest = nest_record_new(&nest_guest_record);
    GError *error = NULL;
    check(nest_agent_read_info(text, guest, &error), &error);
    check(nest_agent_read_os(text, guest, &error), &error);
    nest_agent_name_setting(guest);
    g_autofree char *json = nest_codec_to_text(&nest_guest_record, guest);
    g_assert(json != NULL);
}

static void read_file(const char *text)
{
    g_autoptr(GBytes) piece = NULL;
    GError *error = NULL;
    gboolean end = FALSE;
    gsize written = 0;
    guint64 place = 0;
    gboolean good = nest_agent_exec_read_chunk(text, COUNT, &piece, &end, &error);
    g_assert(good == (piece != NULL) && (!good || g_bytes_get_size(piece) <= COUNT));
    check(good, &error);
    good = nest_agent_exec_read_written(text, COUNT, &written, &error);
    g_assert(!good || (written > 0 && written <= COUNT));
    check(good, &error);
    check(nest_agent_exec_read_place(text, &place, &error), &error);
}

static void read_command(const char *text)
{
    g_autoptr(GBytes) printed = NULL;
    NestAgentStatus status = {0};
    GError *error = NULL;
    gint64 number = 0;
    gboolean good = nest_agent_exec_read(text, &number, &error);
    g_assert(!good || number > 0);
    check(good, &error);
    check(nest_agent_exec_read_open(text, &number, &error), &error);
    check(nest_agent_exec_read_status(text, &status, &error), &error);
    g_assert(status.said == NULL || g_utf8_validate(status.said, -1, NULL));
    g_free(status.said);
    good = nest_agent_exec_read_printed(text, COUNT, &printed, &error);
    g_assert(!good || g_bytes_get_size(printed) <= COUNT + 2);
    check(good, &error);
}

/* Whatever an agent answers is understood or refused as its fault, and can be told. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    read_guest(text);
    read_file(text);
    read_command(text);
    return 0;
}
