/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-client-request.h"

typedef struct {
    NestExecFunc func;
    gpointer user_data;
    NestExecOutput *last;
} Reader;

static gboolean take_line(const char *text, gboolean *ret_end, gpointer user_data, GError **error)
{
    Reader *reader = user_data;
    g_autoptr(NestExecOutput) output =
        nest_client_decode_line(&nest_exec_output_record, text, error);
    if (output == NULL || !reader->func(output, text, reader->user_data, error))
        return FALSE;
    *ret_end = output->ended;
    if (output->ended)
        reader->last = g_steal_pointer(&output);
    return TRUE;
}

gboolean nest_client_exec(NestClient *client, const char *vm, const NestExecWish *wish,
    NestExecFunc func, gpointer user_data, gint64 *ret_status, guint *ret_signal,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *path = nest_client_vm_path(vm, "/exec", error);
    Reader reader = {func, user_data, NULL};
    if (path == NULL)
        return FALSE;
    g_autoptr(SoupMessage) message =
        nest_client_message("POST", path, &nest_exec_wish_record, wish);
    if (!nest_client_request_lines(client, message, take_line, &reader, cancellable, error))
        return FALSE;
    g_autoptr(NestExecOutput) last = reader.last;
    *ret_status = last->status;
    *ret_signal = last->signal;
    if (last->problem != NULL)
        nest_problem_to_error(last->problem, error);
    return last->problem == NULL;
}
