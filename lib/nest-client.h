/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-error.h"
#include "nest-types.h"
#include <gio/gio.h>

/* A client of nestd's API. Blocking; one thread at a time per client; no logging.
 *
 * Errors are in the NEST_ERROR domain: those the daemon answered, with their kind and next, and
 * UNREACHABLE where no daemon answers. A cancelled call ends with ABORTED. */
typedef struct NestClient NestClient;

/* socket NULL: NESTD_SOCKET, else /run/nestd/nestd.sock. Nothing is connected yet. */
NestClient *nest_client_new(const char *socket);
void nest_client_free(NestClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestClient, nest_client_free)

/* The answer's body is kept as text for --json; valid until the next call. */
const char *nest_client_last_text(const NestClient *client);

NestAbout *nest_client_about(NestClient *client, GCancellable *cancellable, GError **error);
/* all: with every check, else only those that did not pass. */
NestStatus *nest_client_status(
    NestClient *client, gboolean all, GCancellable *cancellable, GError **error);
NestHost *nest_client_host(NestClient *client, GCancellable *cancellable, GError **error);
/* Proves nesting on the host; not proved is a result, too. */
NestProof *nest_client_prove(
    NestClient *client, const NestProofWish *wish, GCancellable *cancellable, GError **error);
/* The same with the CPU of a VM, and the last one of it: array of NestProof, of one or none, that
 * frees its elements. */
NestProof *nest_client_prove_vm(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);
GPtrArray *nest_client_proofs(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);
/* Those of the host over time, newest first: likewise. */
GPtrArray *nest_client_proof_history(NestClient *client, GCancellable *cancellable, GError **error);
/* The catalogue: array of NestCheckInfo that frees its elements. */
/* Runs an inner VM inside a VM that runs; not verified is a result, too. */
NestVerification *nest_client_verify(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);
/* The last one, or none: array of NestVerification. */
GPtrArray *nest_client_verifications(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);
GPtrArray *nest_client_checks(NestClient *client, GCancellable *cancellable, GError **error);
/* all: every check, else only those that did not pass. vm NULL: of the host. guest: the guest of a
 * VM is asked. */
NestCheckReport *nest_client_check(NestClient *client, const char *vm, gboolean all, gboolean guest,
    GCancellable *cancellable, GError **error);
/* Array of NestVmSummary that frees its elements. */
GPtrArray *nest_client_vms(NestClient *client, GCancellable *cancellable, GError **error);
NestVm *nest_client_vm(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);
NestPlan *nest_client_plan(NestClient *client, const char *vm, const NestNestedWish *wish,
    GCancellable *cancellable, GError **error);

NestXmlPlan *nest_client_plan_xml(
    NestClient *client, const NestXmlWish *wish, GCancellable *cancellable, GError **error);

/* May somebody else do that to the VM? A refusal is an answer, too. */
NestAction *nest_client_guard(
    NestClient *client, const NestGuardWish *wish, GCancellable *cancellable, GError **error);

/* The newest limit: array of NestRevision that frees its elements. */
GPtrArray *nest_client_history(
    NestClient *client, const char *vm, guint limit, GCancellable *cancellable, GError **error);
NestPlan *nest_client_plan_undo(NestClient *client, const char *vm, const NestUndoWish *wish,
    GCancellable *cancellable, GError **error);

/* The same for the host; for undo and history vm is NULL then. */
NestPlan *nest_client_plan_host(
    NestClient *client, const NestHostWish *wish, GCancellable *cancellable, GError **error);

/* The same to get a hypervisor into the guest of vm. */
NestPlan *nest_client_plan_install(NestClient *client, const char *vm, const NestInstallWish *wish,
    GCancellable *cancellable, GError **error);

/* Runs a command inside vm until it ends, with *ret_status or by *ret_signal (else 0); func is
 * called for each line of the answer, whose JSON text is, and FALSE with error ends it. Then, and
 * once cancellable fires, where error is ABORTED, nestd has it killed. */
typedef gboolean (*NestExecFunc)(
    const NestExecOutput *output, const char *text, gpointer user_data, GError **error);
gboolean nest_client_exec(NestClient *client, const char *vm, const NestExecWish *wish,
    NestExecFunc func, gpointer user_data, gint64 *ret_status, guint *ret_signal,
    GCancellable *cancellable, GError **error);

/* Puts size bytes of data into the file path inside vm. mode: octal, NULL for that of the file
 * which is replaced, else 644. func (nullable) is told how much nestd has taken. Once cancellable
 * fires the file there stays as it was, and error is ABORTED. */
typedef void (*NestTransferFunc)(guint64 done, guint64 total, gpointer user_data);
NestFile *nest_client_put_file(NestClient *client, const char *vm, const char *path,
    const char *mode, GInputStream *data, guint64 size, NestTransferFunc func, gpointer user_data,
    GCancellable *cancellable, GError **error);

/* Gets it out; func takes each piece, and FALSE with error ends it. total: the size of the file, 0
 * where that can't be told. */
typedef gboolean (*NestPieceFunc)(
    const guchar *data, gsize length, guint64 total, gpointer user_data, GError **error);
NestFile *nest_client_get_file(NestClient *client, const char *vm, const char *path,
    NestPieceFunc func, gpointer user_data, GCancellable *cancellable, GError **error);

/* What the agent inside vm says. */
NestGuest *nest_client_guest(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);

/* The VMs inside vm, and the end of what one of them printed on its console; by: of that
 * hypervisor, NULL any, here and below. */
NestInnerVms *nest_client_inner(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);
NestInnerConsole *nest_client_inner_console(NestClient *client, const char *vm, const char *inner,
    const char *by, GCancellable *cancellable, GError **error);
gboolean nest_client_inner_create(NestClient *client, const char *vm, const NestInnerSpec *spec,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_inner_set_state(NestClient *client, const char *vm, const char *inner,
    const NestInnerWish *wish, NestOperation **ret_operation, GCancellable *cancellable,
    GError **error);
gboolean nest_client_inner_delete(NestClient *client, const char *vm, const char *inner,
    const char *by, NestOperation **ret_operation, GCancellable *cancellable, GError **error);
/* The host, its VMs (vm: only that one; NULL all) and theirs. */
NestTree *nest_client_tree(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);

/* Array of NestCheckpoint that frees its elements. */
GPtrArray *nest_client_checkpoints(
    NestClient *client, const char *vm, GCancellable *cancellable, GError **error);

/* Changes. On success *ret_operation is the operation begun, or NULL where nothing was to do.
 * *ret_plan, NULL before, becomes the plan where there is nothing to do and where the request was
 * refused because of it (PLAN_OUTDATED: the plan that is true now). */
gboolean nest_client_set_nested(NestClient *client, const char *vm, const NestNestedWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error);
gboolean nest_client_undo(NestClient *client, const char *vm, const NestUndoWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error);
gboolean nest_client_install(NestClient *client, const char *vm, const NestInstallWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error);
gboolean nest_client_fix_host(NestClient *client, const NestHostWish *wish,
    NestOperation **ret_operation, NestPlan **ret_plan, GCancellable *cancellable, GError **error);
gboolean nest_client_set_state(NestClient *client, const char *vm, const NestStateWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_restart(NestClient *client, const char *vm, const NestRestartWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_set_memory(NestClient *client, const char *vm, const NestMemoryWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_set_trust(NestClient *client, const char *vm, const NestTrustWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_checkpoint(NestClient *client, const char *vm, const NestCheckpointWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_apply_checkpoint(NestClient *client, const char *vm, const char *checkpoint,
    const NestApplyWish *wish, NestOperation **ret_operation, GCancellable *cancellable,
    GError **error);
gboolean nest_client_delete_checkpoint(NestClient *client, const char *vm, const char *checkpoint,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_migrate(NestClient *client, const char *vm, const NestMigrationWish *wish,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_create(NestClient *client, const NestVmSpec *spec,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);
gboolean nest_client_delete(NestClient *client, const char *vm, gboolean keep_disks,
    NestOperation **ret_operation, GCancellable *cancellable, GError **error);

/* Follows an operation until it ends, also over a restart of the daemon of up to 30 seconds;
 * progress (nullable) is called at once and whenever it changed. If cancellable fires, asks the
 * daemon to abort and goes on waiting for how it ends. Returns the ended operation, whatever its
 * outcome; NULL only if the daemon can't be asked. */
typedef void (*NestProgressFunc)(const NestOperation *operation, gpointer user_data);
NestOperation *nest_client_follow(NestClient *client, const NestOperation *operation,
    NestProgressFunc progress, gpointer user_data, GCancellable *cancellable, GError **error);

GPtrArray *nest_client_operations(
    NestClient *client, guint limit, GCancellable *cancellable, GError **error);
NestOperation *nest_client_operation(
    NestClient *client, gint64 id, GCancellable *cancellable, GError **error);
gboolean nest_client_abort(
    NestClient *client, gint64 id, GCancellable *cancellable, GError **error);

/* Reads events after id until func returns FALSE or cancellable fires, which is no error. Without
 * follow these are the events there are (-1: all of them); with follow it goes on with what comes
 * (-1: only that), reconnecting where it left off. text is the event's JSON. */
typedef gboolean (*NestEventFunc)(const NestEvent *event, const char *text, gpointer user_data);
gboolean nest_client_events(NestClient *client, gint64 after, gboolean follow, NestEventFunc func,
    gpointer user_data, GCancellable *cancellable, GError **error);
