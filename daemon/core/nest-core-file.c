/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guest-file.h"

/* Files put into VMs and got out of them. A worker is in the guest; between it and the main thread
 * one piece is under way at a time, so that who is slower slows the other down and nothing fills
 * memory. */

#define PATH_SHOWN 200 /* characters */

struct NestTransfer {
    NestCore *core;
    NestCaller caller;
    const NestTransferHooks *hooks;
    gpointer data;
    char *uuid, *name, *path, *mode;
    gboolean put;
    guint64 size; /* of a put */
    GCancellable *cancellable;
    gulong ending; /* handler */

    GMutex lock;
    GCond cond;
    GBytes *piece; /* of a put, that came; guarded */
    gboolean busy; /* a piece of a get is on its way; guarded */

    gboolean begun;
    NestFile *file;
    GError *error;
};

static void transfer_free(NestTransfer *transfer)
{
    g_cancellable_disconnect(transfer->core->ending, transfer->ending);
    g_object_unref(transfer->cancellable);
    g_clear_pointer(&transfer->piece, g_bytes_unref);
    g_clear_pointer(&transfer->file, nest_file_free);
    g_clear_error(&transfer->error);
    g_cond_clear(&transfer->cond);
    g_mutex_clear(&transfer->lock);
    g_free(transfer->uuid);
    g_free(transfer->name);
    g_free(transfer->path);
    g_free(transfer->mode);
    g_free(transfer);
}

static void ended(gpointer data)
{
    NestTransfer *transfer = data;
    transfer->core->execs--;
    transfer->hooks->ended(transfer->file, transfer->begun, transfer->error, transfer->data);
    transfer_free(transfer);
}

/* ---- on a visitor ---- */

static void ask_for_more(gpointer data)
{
    NestTransfer *transfer = data;
    transfer->hooks->more(transfer->data);
}

static gboolean take_piece(GBytes **ret_piece, gpointer user_data, GError **error)
{
    NestTransfer *transfer = user_data;
    nest_core_post(ask_for_more, transfer);
    g_mutex_lock(&transfer->lock);
    while (transfer->piece == NULL && !g_cancellable_is_cancelled(transfer->cancellable))
        g_cond_wait(&transfer->cond, &transfer->lock);
    *ret_piece = g_steal_pointer(&transfer->piece);
    g_mutex_unlock(&transfer->lock);
    if (*ret_piece == NULL)
        nest_set_error(error, NEST_ERROR_ABORTED, NULL, "the transfer was aborted");
    return *ret_piece != NULL;
}

typedef struct {
    NestTransfer *transfer;
    GBytes *piece;
    guint64 total;
} Piece;

static void tell(gpointer data)
{
    g_autofree Piece *piece = data;
    piece->transfer->hooks->piece(piece->piece, piece->total, piece->transfer->data);
    g_bytes_unref(piece->piece);
}

static void give_piece(GBytes *bytes, guint64 total, gpointer user_data)
{
    NestTransfer *transfer = user_data;
    Piece *piece = g_new0(Piece, 1);
    *piece = (Piece){transfer, g_bytes_ref(bytes), total};
    g_mutex_lock(&transfer->lock);
    transfer->busy = TRUE;
    nest_core_post(tell, piece);
    while (transfer->busy && !g_cancellable_is_cancelled(transfer->cancellable))
        g_cond_wait(&transfer->cond, &transfer->lock);
    g_mutex_unlock(&transfer->lock);
}

static gboolean record(NestTransfer *transfer, GError **error)
{
    const char *path = transfer->path;
    g_autofree char *shown = g_utf8_substring(path, 0, MIN(g_utf8_strlen(path, -1), PATH_SHOWN));
    g_autofree char *message = g_strdup_printf("the user with id %u %s %s %s %s",
        (guint)transfer->caller.uid, transfer->put ? "puts" : "gets", shown,
        transfer->put ? "into" : "out of", transfer->name);
    return nest_core_note_visit(transfer->core, transfer->put ? "guest-push" : "guest-pull",
        transfer->uuid, transfer->name, message, error);
}

static void work(gpointer data)
{
    NestTransfer *transfer = data;
    NestBackend *backend = transfer->core->backend;
    const NestGuestPut put = {transfer->path, transfer->mode, transfer->size};
    if (!record(transfer, &transfer->error))
        ;
    else if (transfer->put)
        nest_guest_file_put(backend, transfer->core->traces, transfer->uuid, &put, take_piece,
            transfer, transfer->cancellable, &transfer->file, &transfer->error);
    else
        nest_guest_file_get(backend, transfer->uuid, transfer->path, give_piece, transfer,
            transfer->cancellable, &transfer->begun, &transfer->file, &transfer->error);
    nest_core_post(ended, transfer);
}

/* ---- on the main thread ---- */

static void on_ending(GCancellable *ending, gpointer data)
{
    nest_core_transfer_abort(data);
}

static NestTransfer *begin(NestCore *core, const NestCaller *caller, const char *vm,
    NestTransfer *transfer, const NestGuestPut *put, const NestTransferHooks *hooks, gpointer data)
{
    transfer->core = core;
    transfer->caller = *caller;
    transfer->hooks = hooks;
    transfer->data = data;
    transfer->cancellable = g_cancellable_new();
    g_mutex_init(&transfer->lock);
    g_cond_init(&transfer->cond);
    transfer->ending = g_cancellable_connect(core->ending, G_CALLBACK(on_ending), transfer, NULL);
    core->execs++;
    if (nest_guest_file_check(put, &transfer->error) &&
        nest_core_enter_guest(core, vm, &transfer->uuid, &transfer->name, &transfer->error))
        nest_core_push(core, core->visitors, work, transfer);
    else
        nest_core_post(ended, transfer);
    return transfer;
}

NestTransfer *nest_core_put_file(NestCore *core, const NestCaller *caller, const char *vm,
    const char *path, const char *mode, guint64 size, const NestTransferHooks *hooks, gpointer data)
{
    NestTransfer *transfer = g_new0(NestTransfer, 1);
    const NestGuestPut put = {path, mode, size};
    transfer->put = TRUE;
    transfer->path = g_strdup(path);
    transfer->mode = g_strdup(mode);
    transfer->size = size;
    return begin(core, caller, vm, transfer, &put, hooks, data);
}

NestTransfer *nest_core_get_file(NestCore *core, const NestCaller *caller, const char *vm,
    const char *path, const NestTransferHooks *hooks, gpointer data)
{
    NestTransfer *transfer = g_new0(NestTransfer, 1);
    const NestGuestPut put = {.path = path};
    transfer->path = g_strdup(path);
    return begin(core, caller, vm, transfer, &put, hooks, data);
}

static void wake(NestTransfer *transfer, GBytes *piece)
{
    g_mutex_lock(&transfer->lock);
    transfer->busy = FALSE;
    if (piece != NULL && transfer->piece == NULL)
        transfer->piece = g_bytes_ref(piece);
    g_cond_signal(&transfer->cond);
    g_mutex_unlock(&transfer->lock);
}

void nest_core_transfer_piece(NestTransfer *transfer, GBytes *piece)
{
    wake(transfer, piece);
}

void nest_core_transfer_more(NestTransfer *transfer)
{
    wake(transfer, NULL);
}

void nest_core_transfer_abort(NestTransfer *transfer)
{
    g_cancellable_cancel(transfer->cancellable);
    wake(transfer, NULL);
}
