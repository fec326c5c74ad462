/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-guest-file.h"
#include "nest-error.h"
#include "nest-guest-read.h"
#include "nest-guest-script.h"
#include "nest-guest-shell.h"
#include "nest-guest-stream.h"
#include "nest-guest-windows.h"
#include "nest-record.h"
#include <string.h>

#define SHELL_SECONDS 15
#define WORDS_MAX 5000 /* bytes of output of nestd's own scripts */
#define LOOK_BYTES_PER_SECOND (4 * 1024 * 1024) /* what a slow guest reads to look at a file */
#define SILENCE_SECONDS 15
#define REST_MS 250

/* How a kind of guest is told what to do. */
typedef struct {
    GStrv (*place)(const char *path); /* NULL: path is */
    GStrv (*prepare)(const char *part, const char *path, guint64 size);
    GStrv (*finish)(
        const char *part, const char *path, const char *mode, guint64 size, const char *sha256);
    GStrv (*drop)(const char *part);
    GStrv (*sum)(const char *path, guint64 size);
} Shell;

static const Shell posix = {nest_guest_shell_place, nest_guest_shell_prepare,
    nest_guest_shell_finish, nest_guest_shell_drop, nest_guest_shell_sum};
static const Shell windows = {NULL, nest_guest_windows_prepare, nest_guest_windows_finish,
    nest_guest_windows_clear, nest_guest_windows_sum};

typedef struct {
    NestGuestTalk talk;
    const Shell *shell;
    GCancellable *cancellable;
    NestGuestStream stream;
    GChecksum *sum; /* borrowed */
} Transfer;

static void begin(Transfer *transfer, NestBackend *backend, const char *uuid, GChecksum *sum,
    GCancellable *cancellable)
{
    *transfer = (Transfer){.cancellable = cancellable, .stream = {.handle = -1}, .sum = sum};
    nest_guest_talk_init(&transfer->talk, backend, uuid);
}

static gboolean is_aborted(const Transfer *transfer, GError **error)
{
    if (!g_cancellable_is_cancelled(transfer->cancellable))
        return FALSE;
    nest_set_error(error, NEST_ERROR_ABORTED, NULL, "the transfer was aborted");
    return TRUE;
}

/* TRUE: it is worth trying again, and error is gone. */
static gboolean again(Transfer *transfer, GError **error)
{
    if (!nest_guest_stream_is_patient(&transfer->stream, &transfer->talk, error))
        return FALSE;
    nest_guest_talk_rest(REST_MS, transfer->cancellable);
    return TRUE;
}

static guint seconds_for(guint64 size)
{
    return SHELL_SECONDS + (guint)(size / LOOK_BYTES_PER_SECOND);
}

/* Takes command. Its end must be a good one. *ret_printed (nullable): what it printed. */
static gboolean run(Transfer *transfer, GStrv command, guint seconds, GCancellable *cancellable,
    char **ret_printed, GError **error)
{
    g_auto(GStrv) taken = command;
    g_auto(NestGuestOutcome) outcome = {NULL};
    const NestGuestScript script = {.path = taken[0],
        .arguments = (const char *const *)taken + 1,
        .seconds = seconds,
        .output_max = WORDS_MAX};
    gsize length = 0;
    if (!nest_guest_script_run(
            transfer->talk.backend, transfer->talk.uuid, &script, cancellable, &outcome, error))
        return FALSE;
    if (outcome.status != 0 || outcome.signal != 0) {
        nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL, "the guest refuses: %s",
            outcome.said != NULL && *outcome.said != '\0' ? g_strchomp(outcome.said)
                                                          : "it does not say why");
        return FALSE;
    }
    const char *printed = g_bytes_get_data(outcome.output, &length);
    if (ret_printed != NULL)
        *ret_printed = g_strndup(length > 0 ? printed : "", length);
    return TRUE;
}

static gboolean check_family(
    Transfer *transfer, const NestGuest *guest, const char *path, GError **error)
{
    gboolean is_windows = guest->family == NEST_GUEST_FAMILY_WINDOWS;
    transfer->shell = is_windows ? &windows : &posix;
    if (is_windows == nest_guest_shell_is_windows(path))
        return TRUE;
    nest_set_error(error, NEST_ERROR_INVALID_REQUEST,
        is_windows ? "give it as C:\\folder\\file" : "give it as /folder/file",
        is_windows ? "a path in Windows begins with a drive"
                   : "a path in this guest begins with /");
    return FALSE;
}

/* ---- put ---- */

static gboolean is_mode(const char *mode)
{
    gsize length = strlen(mode);
    return length >= 1 && length <= 4 && strspn(mode, "01234567") == length;
}

gboolean nest_guest_file_check(const NestGuestPut *put, GError **error)
{
    if (!nest_guest_shell_check_path(put->path, error))
        return FALSE;
    if (put->mode != NULL && !is_mode(put->mode)) {
        nest_set_error(
            error, NEST_ERROR_INVALID_REQUEST, "as 0644", "the mode is no octal number up to 7777");
        return FALSE;
    }
    if (put->size <= NEST_GUEST_FILE_MAX)
        return TRUE;
    nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "a file may have at most %u GiB",
        (guint)(NEST_GUEST_FILE_MAX >> 30));
    return FALSE;
}

static gboolean check_may_put(Transfer *transfer, const NestGuestPut *put, GError **error)
{
    g_autoptr(NestGuest) guest =
        nest_guest_read(transfer->talk.backend, transfer->talk.uuid, error);
    if (guest == NULL || !check_family(transfer, guest, put->path, error))
        return FALSE;
    if (transfer->shell == &windows && put->mode != NULL) {
        nest_set_error(
            error, NEST_ERROR_UNSUPPORTED, "leave the mode out", "files in Windows have no mode");
        return FALSE;
    }
    if (guest->exec && guest->write)
        return TRUE;
    nest_set_error(error, NEST_ERROR_VM_UNFIT, guest->blocked_setting,
        "the guest agent may not write files, or not run commands, which it takes to put them "
        "into place");
    return FALSE;
}

static gboolean write_piece(Transfer *transfer, GBytes *piece, GError **error)
{
    gsize done = 0, length = g_bytes_get_size(piece);
    g_checksum_update(transfer->sum, g_bytes_get_data(piece, NULL), (gssize)length);
    while (done < length) {
        g_autoptr(GError) cause = NULL;
        g_autoptr(GBytes) rest = g_bytes_new_from_bytes(piece, done, length - done);
        gsize written = 0;
        if (is_aborted(transfer, error))
            return FALSE;
        if (!nest_guest_stream_write(&transfer->stream, &transfer->talk, rest, &written, &cause) &&
            !again(transfer, &cause)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        done += written;
    }
    return TRUE;
}

static gboolean write_all(
    Transfer *transfer, guint64 size, NestGuestSource source, gpointer user_data, GError **error)
{
    for (guint64 left = size; left > 0;) {
        g_autoptr(GBytes) piece = NULL;
        if (is_aborted(transfer, error) || !source(&piece, user_data, error))
            return FALSE;
        left -= MIN(left, g_bytes_get_size(piece));
        if (!write_piece(transfer, piece, error))
            return FALSE;
    }
    return nest_guest_stream_flush(&transfer->stream, &transfer->talk, error);
}

static gboolean into_place(
    Transfer *transfer, const char *part, const NestGuestPut *put, NestFile *file, GError **error)
{
    g_autofree char *printed = NULL;
    if (!nest_guest_stream_close(&transfer->stream, &transfer->talk)) {
        nest_set_error(error, NEST_ERROR_GUEST_AGENT, NULL, "the agent did not close the file");
        return FALSE;
    }
    file->sha256 = g_strdup(g_checksum_get_string(transfer->sum));
    GStrv finish = transfer->shell->finish(part, put->path, put->mode, put->size, file->sha256);
    if (!run(transfer, finish, seconds_for(put->size), transfer->cancellable, &printed, error))
        return FALSE;
    if (nest_guest_shell_read_finished(printed, file))
        return TRUE;
    nest_set_error(
        error, NEST_ERROR_NOT_VERIFIED, NULL, "the guest does not say what became of the file");
    return FALSE;
}

static gboolean fill(Transfer *transfer, const char *part, const NestGuestPut *put,
    NestGuestSource source, gpointer user_data, NestFile *file, GError **error)
{
    return nest_guest_stream_open(&transfer->stream, &transfer->talk, part, "r+", error) &&
        write_all(transfer, put->size, source, user_data, error) &&
        into_place(transfer, part, put, file, error);
}

/* What was begun is taken away, also after an abort. */
static gboolean take_back(Transfer *transfer, const char *part, GError **error)
{
    nest_guest_stream_close(&transfer->stream, &transfer->talk);
    if (run(transfer, transfer->shell->drop(part), SHELL_SECONDS, NULL, NULL, NULL))
        return TRUE;
    g_prefix_error(error,
        "%s may be left in the guest until its agent answers again, for it could not be removed: ",
        part);
    return FALSE;
}

/* Where it is to be put: not in the place of a link. */
static char *find_place(Transfer *transfer, const char *path, GError **error)
{
    g_autofree char *printed = NULL;
    if (transfer->shell->place == NULL)
        return g_strdup(path);
    if (!run(transfer, transfer->shell->place(path), SHELL_SECONDS, transfer->cancellable, &printed,
            error))
        return NULL;
    if (*printed == '\0')
        return g_strdup(path);
    if (g_utf8_validate(printed, -1, NULL) && nest_guest_shell_check_path(printed, NULL))
        return g_steal_pointer(&printed);
    nest_set_error(error, NEST_ERROR_VM_UNFIT, NULL,
        "%s is a link to a file whose path is too long, or no text", path);
    return NULL;
}

static gboolean put_there(Transfer *transfer, NestTraces *traces, const NestGuestPut *put,
    NestGuestSource source, gpointer user_data, NestFile *file, GError **error)
{
    g_autofree char *mark =
        g_strdup_printf("%08x%08x%08x", g_random_int(), g_random_int(), g_random_int());
    g_autofree char *part = nest_guest_shell_part(put->path, mark);
    g_autoptr(GError) cause = NULL;
    const NestTrace trace = {(char *)transfer->talk.uuid, part, transfer->shell == &windows, FALSE};
    if (!nest_traces_begin(traces, &trace, error))
        return FALSE;
    gboolean good = run(transfer, transfer->shell->prepare(part, put->path, put->size),
                        SHELL_SECONDS, transfer->cancellable, NULL, &cause) &&
        fill(transfer, part, put, source, user_data, file, &cause);
    nest_traces_end(traces, part, good || take_back(transfer, part, &cause));
    if (!good)
        g_propagate_error(error, g_steal_pointer(&cause));
    return good;
}

gboolean nest_guest_file_put(NestBackend *backend, NestTraces *traces, const char *uuid,
    const NestGuestPut *put, NestGuestSource source, gpointer user_data, GCancellable *cancellable,
    NestFile **ret_file, GError **error)
{
    Transfer transfer;
    if (!nest_guest_file_check(put, error))
        return FALSE;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    begin(&transfer, backend, uuid, sum, cancellable);
    if (!check_may_put(&transfer, put, error))
        return FALSE;
    g_autofree char *place = find_place(&transfer, put->path, error);
    if (place == NULL)
        return FALSE;
    g_autoptr(NestFile) file = nest_record_new(&nest_file_record);
    NestGuestPut there = *put;
    there.path = place;
    file->path = g_strdup(put->path);
    file->size = put->size;
    if (!put_there(&transfer, traces, &there, source, user_data, file, error))
        return FALSE;
    *ret_file = g_steal_pointer(&file);
    return TRUE;
}

/* ---- get ---- */

typedef struct {
    NestGuestSink sink;
    gpointer user_data;
    guint64 total;
    gint64 told; /* monotonic */
} Reader;

static void tell(Reader *reader, GBytes *piece)
{
    reader->sink(piece, reader->total, reader->user_data);
    reader->told = g_get_monotonic_time();
}

static void stay_awake(Reader *reader)
{
    if (g_get_monotonic_time() - reader->told < SILENCE_SECONDS * G_USEC_PER_SEC)
        return;
    g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
    tell(reader, nothing);
}

/* Of nothing, which is not the end, more may come yet. */
static gboolean wait_for_more(Transfer *transfer, GError **error)
{
    if (nest_guest_stream_is_stuck(&transfer->stream)) {
        nest_set_error(error, NEST_ERROR_GUEST_AGENT, NULL,
            "the agent gives nothing more of the file, and does not say that it ends");
        return FALSE;
    }
    nest_guest_talk_rest(REST_MS, transfer->cancellable);
    return TRUE;
}

static gboolean read_piece(Transfer *transfer, Reader *reader, gboolean *ret_end, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) piece = NULL;
    gsize length = 0;
    if (!nest_guest_stream_read(&transfer->stream, &transfer->talk, &piece, ret_end, &cause)) {
        gboolean patient = again(transfer, &cause);
        if (!patient)
            g_propagate_error(error, g_steal_pointer(&cause));
        return patient;
    }
    const guchar *data = g_bytes_get_data(piece, &length);
    if (length == 0)
        return *ret_end || wait_for_more(transfer, error);
    g_checksum_update(transfer->sum, data, (gssize)length);
    tell(reader, piece);
    return TRUE;
}

static gboolean read_all(Transfer *transfer, Reader *reader, GError **error)
{
    for (gboolean end = FALSE; !end;) {
        if (is_aborted(transfer, error) || !read_piece(transfer, reader, &end, error))
            return FALSE;
        if (transfer->stream.offset > NEST_GUEST_FILE_MAX) {
            nest_set_error(error, NEST_ERROR_TOO_LARGE, NULL, "a file may have at most %u GiB",
                (guint)(NEST_GUEST_FILE_MAX >> 30));
            return FALSE;
        }
        stay_awake(reader);
    }
    return TRUE;
}

/* Where the guest does not run commands nobody can tell. */
static gboolean compare(Transfer *transfer, gboolean exec, NestFile *file, GError **error)
{
    g_autofree char *printed = NULL;
    if (exec &&
        !run(transfer, transfer->shell->sum(file->path, file->size), seconds_for(file->size),
            transfer->cancellable, &printed, NULL) &&
        is_aborted(transfer, error))
        return FALSE;
    return nest_guest_shell_compare(printed, file, error);
}

static gboolean get(Transfer *transfer, Reader *reader, const char *path, gboolean *ret_begun,
    NestFile *file, GError **error)
{
    g_autoptr(NestGuest) guest =
        nest_guest_read(transfer->talk.backend, transfer->talk.uuid, error);
    if (guest == NULL || !check_family(transfer, guest, path, error) ||
        !nest_guest_stream_open(&transfer->stream, &transfer->talk, path, "r", error))
        return FALSE;
    reader->total = nest_guest_stream_size(&transfer->stream, &transfer->talk);
    *ret_begun = TRUE;
    if (!read_all(transfer, reader, error))
        return FALSE;
    nest_guest_stream_close(&transfer->stream, &transfer->talk);
    file->path = g_strdup(path);
    file->size = transfer->stream.offset;
    file->sha256 = g_strdup(g_checksum_get_string(transfer->sum));
    return compare(transfer, guest->exec, file, error);
}

gboolean nest_guest_file_get(NestBackend *backend, const char *uuid, const char *path,
    NestGuestSink sink, gpointer user_data, GCancellable *cancellable, gboolean *ret_begun,
    NestFile **ret_file, GError **error)
{
    Transfer transfer;
    Reader reader = {sink, user_data, 0, g_get_monotonic_time()};
    if (!nest_guest_shell_check_path(path, error))
        return FALSE;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    begin(&transfer, backend, uuid, sum, cancellable);
    g_autoptr(NestFile) file = nest_record_new(&nest_file_record);
    if (!get(&transfer, &reader, path, ret_begun, file, error)) {
        nest_guest_stream_close(&transfer.stream, &transfer.talk);
        return FALSE;
    }
    *ret_file = g_steal_pointer(&file);
    return TRUE;
}
