/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-stub.h"
#include "nest-record.h"

void nest_core_guest_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    g_task_return_pointer(
        task, nest_record_new(&nest_guest_record), (GDestroyNotify)nest_guest_free);
}

NestGuest *nest_core_guest_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* Ends at once. */
NestExec *nest_core_exec(NestCore *core, const NestCaller *caller, const char *vm,
    const NestExecWish *wish, const NestExecHooks *hooks, gpointer data)
{
    static const NestExecOutput last = {.ended = TRUE};
    hooks->ended(&last, TRUE, NULL, data);
    return NULL;
}

void nest_core_exec_more(NestExec *exec)
{
}

void nest_core_exec_abort(NestExec *exec)
{
}

/* ---- a file: of a put all is taken, of a get there is one piece ---- */

struct NestTransfer {
    const NestTransferHooks *hooks;
    gpointer data;
    guint64 left;
    gboolean aborted;
};

static gboolean end(gpointer data)
{
    NestTransfer *transfer = data;
    NestFile file = {.path = (char *)"/file"};
    transfer->hooks->ended(&file, TRUE, NULL, transfer->data);
    g_free(transfer);
    return G_SOURCE_REMOVE;
}

static gboolean more(gpointer data)
{
    NestTransfer *transfer = data;
    transfer->hooks->more(transfer->data);
    return G_SOURCE_REMOVE;
}

static NestTransfer *begin(guint64 left, const NestTransferHooks *hooks, gpointer data)
{
    NestTransfer *transfer = g_new0(NestTransfer, 1);
    *transfer = (NestTransfer){hooks, data, left, FALSE};
    g_idle_add(left > 0 ? more : end, transfer);
    return transfer;
}

NestTransfer *nest_core_put_file(NestCore *core, const NestCaller *caller, const char *vm,
    const char *path, const char *mode, guint64 size, const NestTransferHooks *hooks, gpointer data)
{
    return begin(size, hooks, data);
}

NestTransfer *nest_core_get_file(NestCore *core, const NestCaller *caller, const char *vm,
    const char *path, const NestTransferHooks *hooks, gpointer data)
{
    return begin(0, hooks, data);
}

void nest_core_transfer_piece(NestTransfer *transfer, GBytes *piece)
{
    transfer->left -= MIN(transfer->left, g_bytes_get_size(piece));
    g_idle_add(transfer->left > 0 ? more : end, transfer);
}

void nest_core_transfer_more(NestTransfer *transfer)
{
}

/* Where it waits for a piece; else it is about to end. */
void nest_core_transfer_abort(NestTransfer *transfer)
{
    if (transfer->left > 0 && !transfer->aborted)
        g_idle_add(end, transfer);
    transfer->aborted = TRUE;
}
