/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-backend.h"
#include "nest-config.h"
#include "nest-host-hands.h"
#include "nest-rights.h"
#include "nest-store.h"
#include "nest-types.h"
#include <gio/gio.h>

/* What nestd knows and does, without HTTP. All functions are for the main thread; callbacks come
 * on it. Nothing here waits: what takes time has _async and _finish. */
typedef struct NestCore NestCore;

/* Borrows config and store; owns backend and hands. */
NestCore *nest_core_new(
    const NestConfig *config, NestStore *store, NestBackend *backend, NestHostHands *hands);

/* Loads the last known VMs from the store, then opens the backend in a worker, recovers what was
 * interrupted, and reconciles. FALSE only if the store can't be read. */
gboolean nest_core_start(NestCore *core, GError **error);

/* Takes no more work and waits up to timeout_ms for operations under way. FALSE where some have
 * not ended: end the process without freeing, recovery at the next start sees to them. */
gboolean nest_core_stop(NestCore *core, guint timeout_ms);

/* After nest_core_stop() returned TRUE. */
void nest_core_free(NestCore *core);

NestAbout *nest_core_about(NestCore *core);

/* ---- VMs, from memory ---- */

/* A VM of the inventory; valid until the main loop runs again. */
typedef struct {
    const char *uuid;
    const char *name;
    const char *revision;
    const char *text; /* JSON of NestVm */
    const char *summary; /* JSON of NestVmSummary */
    const char *brief; /* JSON of NestVm with only the checks that did not pass */
} NestVmEntry;

/* By UUID, else by name. VM_NOT_FOUND. */
gboolean nest_core_vm(NestCore *core, const char *ref, NestVmEntry *ret_entry, GError **error);

/* All, ordered by name: array of NestVmEntry (array and elements are the core's). text and brief
 * may be NULL. */
const GArray *nest_core_vms(NestCore *core);

/* The same with text and brief. NULL: the store can't be read. */
const GArray *nest_core_vms_whole(NestCore *core, GError **error);

/* What came of the checks of a VM, of its network and of what is inside it. all: also of those that
 * passed. guest: the guest is asked, where it can be; else no check of what is inside applies.
 * VM_NOT_FOUND, or the store can't be read. */
void nest_core_check_vm_async(NestCore *core, const char *ref, gboolean all, gboolean guest,
    GAsyncReadyCallback callback, gpointer user_data);
NestCheckReport *nest_core_check_vm_finish(NestCore *core, GAsyncResult *result, GError **error);

/* The host with its checks and proofs, probed afresh unless that was done within the last two
 * seconds. */
void nest_core_host_async(NestCore *core, GAsyncReadyCallback callback, gpointer user_data);
NestHost *nest_core_host_finish(NestCore *core, GAsyncResult *result, GError **error);

/* Boots a VM that runs inner code, of accel (AUTO: KVM where there is one), and says what came of
 * it; not proved is a result, too. A proof that was under way before does not count. UNSUPPORTED
 * where the host has no such accel. */
void nest_core_prove_async(
    NestCore *core, NestAccel accel, GAsyncReadyCallback callback, gpointer user_data);
/* The same with the CPU, the machine and the accel of a VM, by its definition, which is left alone.
 * UNSUPPORTED or VM_UNFIT where they can't be told. */
void nest_core_prove_vm_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data);
NestProof *nest_core_prove_finish(NestCore *core, GAsyncResult *result, GError **error);

/* Those of the host that are kept, newest first: array of NestProof that frees its elements. */
GPtrArray *nest_core_proof_history(NestCore *core);

/* Runs an inner VM inside a VM that runs, over the agent there, and says what came of it and of the
 * checks of what is inside; not verified is a result, too. Errors: nest-guest-verify.h. */
void nest_core_verify_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data);
NestVerification *nest_core_verify_finish(NestCore *core, GAsyncResult *result, GError **error);
/* The last one; *ret_result NULL for none. */
gboolean nest_core_verification(
    NestCore *core, const char *vm, NestVerification **ret_result, GError **error);

/* The last one of a VM; *ret_proof NULL for none. */
gboolean nest_core_proof(NestCore *core, const char *vm, NestProof **ret_proof, GError **error);

/* ---- changes ---- */

typedef enum {
    NEST_JOB_NESTED, /* nested */
    NEST_JOB_UNDO, /* undo */
    NEST_JOB_STATE, /* state */
    NEST_JOB_RESTART, /* restart */
    NEST_JOB_MEMORY, /* memory */
    NEST_JOB_CHECKPOINT, /* checkpoint to make one; else item, and apply to put the VM back to it */
    NEST_JOB_MIGRATE, /* migration */
    NEST_JOB_CREATE, /* spec */
    NEST_JOB_DELETE,
    NEST_JOB_TRUST, /* trust */
    NEST_JOB_UNFIT, /* run, until: only nestd itself asks for it */
    NEST_JOB_INNER, /* inner to make one; else item, with inner_state or to delete it */
    NEST_JOB_INSTALL, /* install */
    NEST_JOB_HOST_FIX, /* host */
    NEST_JOB_HOST_UNDO /* undo */
} NestJobKind;

typedef struct {
    NestJobKind kind;
    char *vm; /* UUID or name; NULL for CREATE and the host */
    char *if_match; /* the revision the caller has seen, NULL for any */
    gboolean force; /* also what a guard refuses; needs reason and the right ADMIN */
    char *reason; /* why; NULL without force */
    gboolean keep_disks; /* DELETE */
    NestNestedWish *nested; /* by kind, else NULL */
    NestUndoWish *undo;
    NestHostWish *host;
    NestStateWish *state;
    NestRestartWish *restart;
    NestMemoryWish *memory;
    NestCheckpointWish *checkpoint;
    NestApplyWish *apply;
    char *item; /* the name of a checkpoint or an inner VM */
    int run; /* of the VM */
    gint64 until; /* not after, monotonic µs */
    NestMigrationWish *migration;
    NestTrustWish *trust;
    NestInstallWish *install;
    NestVmSpec *spec;
    NestInnerSpec *inner;
    NestInnerWish *inner_state;
    char *by; /* of an inner VM to delete: its hypervisor, NULL any */
} NestRequest;
void nest_request_free(NestRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NestRequest, nest_request_free)

/* The plan as it is now; nothing is changed. */
void nest_core_plan_async(NestCore *core, const char *vm, const NestNestedWish *wish,
    GAsyncReadyCallback callback, gpointer user_data);
/* The same for taking a revision back. */
void nest_core_plan_undo_async(NestCore *core, const char *vm, const NestUndoWish *wish,
    GAsyncReadyCallback callback, gpointer user_data);
/* The same for the host. */
void nest_core_repair_plan_async(
    NestCore *core, const NestHostWish *wish, GAsyncReadyCallback callback, gpointer user_data);
void nest_core_repair_plan_undo_async(
    NestCore *core, const NestUndoWish *wish, GAsyncReadyCallback callback, gpointer user_data);
/* The same for a hypervisor in the guest, which is entered and looked at. */
void nest_core_plan_install_async(NestCore *core, const char *vm, const NestInstallWish *wish,
    GAsyncReadyCallback callback, gpointer user_data);
/* The same for a definition that need not be defined anywhere: what is planned for it, and what it
 * becomes. A definition that libvirt would not take is an error, INVALID_REQUEST. wish is copied.
 */
void nest_core_plan_xml_async(
    NestCore *core, const NestXmlWish *wish, GAsyncReadyCallback callback, gpointer user_data);
NestXmlPlan *nest_core_plan_xml_finish(NestCore *core, GAsyncResult *result, GError **error);
NestPlan *nest_core_plan_finish(NestCore *core, GAsyncResult *result, GError **error);

/* What a guard says where somebody else asks the hypervisor for wish, without nestd. It is asked of
 * the hypervisor while that waits for the answer. BACKEND_UNAVAILABLE, INVALID_REQUEST. */
void nest_core_guard_async(
    NestCore *core, const NestGuardWish *wish, GAsyncReadyCallback callback, gpointer user_data);
NestAction *nest_core_guard_finish(NestCore *core, GAsyncResult *result, GError **error);

/* What nestd changed in a VM's definition, or on the host (vm NULL), newest first, with
 * lower ids than before (0: all), at most limit: array of NestRevision that frees its elements. */
void nest_core_history_async(NestCore *core, const char *vm, gint64 before, guint limit,
    GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *nest_core_history_finish(NestCore *core, GAsyncResult *result, GError **error);

/* What the agent inside a VM says of it. */
void nest_core_guest_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data);
NestGuest *nest_core_guest_finish(NestCore *core, GAsyncResult *result, GError **error);

/* The VMs inside a VM, one of them, and the end of what that printed on its console. */
void nest_core_inner_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data);
NestInnerVms *nest_core_inner_finish(NestCore *core, GAsyncResult *result, GError **error);
void nest_core_inner_vm_async(NestCore *core, const char *vm, const char *inner, const char *by,
    GAsyncReadyCallback callback, gpointer user_data);
NestInnerVm *nest_core_inner_vm_finish(NestCore *core, GAsyncResult *result, GError **error);
void nest_core_inner_console_async(NestCore *core, const char *vm, const char *inner,
    const char *by, GAsyncReadyCallback callback, gpointer user_data);
NestInnerConsole *nest_core_inner_console_finish(
    NestCore *core, GAsyncResult *result, GError **error);

/* The host, its VMs and, with inside, what is inside them: guests that answer are asked at most
 * every few seconds, all of them together for ten seconds at most. JSON of NestTree. vm NULL: all,
 * else only that one. */
void nest_core_tree_async(NestCore *core, const char *vm, gboolean inside,
    GAsyncReadyCallback callback, gpointer user_data);
char *nest_core_tree_finish(NestCore *core, GAsyncResult *result, GError **error);

/* A command that runs inside a VM. */
typedef struct NestExec NestExec;

/* output: some of what it printed, or nothing: so often that a connection does not fall asleep; no
 * more comes before nest_core_exec_more(). ended: it is over, also where it could not begin
 * (begun FALSE); last is the last line, error why its end is not known. exec is gone then. */
typedef struct {
    void (*output)(const NestExecOutput *output, gpointer data);
    void (*ended)(const NestExecOutput *last, gboolean begun, const GError *error, gpointer data);
} NestExecHooks;

/* Copies wish; hooks is kept. */
NestExec *nest_core_exec(NestCore *core, const NestCaller *caller, const char *vm,
    const NestExecWish *wish, const NestExecHooks *hooks, gpointer data);
void nest_core_exec_more(NestExec *exec);
/* Has the command killed; ended tells. */
void nest_core_exec_abort(NestExec *exec);

/* A file on its way into a VM or out of it. */
typedef struct NestTransfer NestTransfer;

/* piece: of a file that is got, or none, so often that a connection does not fall asleep; no more
 * comes before nest_core_transfer_more(). more: of a file that is put the next piece is to be given
 * to nest_core_transfer_piece(). ended: it is over, also where it could not begin (begun FALSE);
 * file NULL: error says why. transfer is gone then. */
typedef struct {
    void (*piece)(GBytes *piece, guint64 total, gpointer data);
    void (*more)(gpointer data);
    void (*ended)(const NestFile *file, gboolean begun, const GError *error, gpointer data);
} NestTransferHooks;

/* mode: octal, nullable. hooks is kept. */
NestTransfer *nest_core_put_file(NestCore *core, const NestCaller *caller, const char *vm,
    const char *path, const char *mode, guint64 size, const NestTransferHooks *hooks,
    gpointer data);
NestTransfer *nest_core_get_file(NestCore *core, const NestCaller *caller, const char *vm,
    const char *path, const NestTransferHooks *hooks, gpointer data);
/* Of 1 to 256 KiB. */
void nest_core_transfer_piece(NestTransfer *transfer, GBytes *piece);
void nest_core_transfer_more(NestTransfer *transfer);
/* What was begun is taken away; ended tells. */
void nest_core_transfer_abort(NestTransfer *transfer);

/* The checkpoints of a VM, oldest first: array of NestCheckpoint that frees its elements. */
void nest_core_checkpoints_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *nest_core_checkpoints_finish(NestCore *core, GAsyncResult *result, GError **error);

/* Takes request over. The callback comes as soon as the intent is committed, before any effect,
 * or the request is refused. ret_operation: the operation, NULL with TRUE where nothing is to be
 * done. ret_plan: the plan of a NESTED, UNDO, INSTALL or HOST request, also with PLAN_OUTDATED and
 * refusals; else NULL. */
void nest_core_submit_async(NestCore *core, const NestCaller *caller, NestRequest *request,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean nest_core_submit_finish(NestCore *core, GAsyncResult *result,
    NestOperation **ret_operation, NestPlan **ret_plan, GError **error);

/* ---- operations ---- */

/* An operation under way or ended; a copy. */
NestOperation *nest_core_operation(NestCore *core, gint64 id, GError **error);

/* The same once it has ended, or as it is after timeout_ms. */
void nest_core_operation_wait_async(
    NestCore *core, gint64 id, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data);
NestOperation *nest_core_operation_wait_finish(
    NestCore *core, GAsyncResult *result, GError **error);

/* Newest first: array of NestOperation that frees its elements. */
GPtrArray *nest_core_operations(NestCore *core, gint64 before, guint limit, GError **error);

/* Asks to abort; how it ends is in the operation. Ended already: VM_STATE. */
gboolean nest_core_abort(NestCore *core, gint64 id, GError **error);

/* ---- events ---- */

/* Array of NestEvent that frees its elements. */
GPtrArray *nest_core_events(NestCore *core, gint64 after, guint limit, GError **error);
gint64 nest_core_last_event(NestCore *core);

/* func is called on the main thread whenever there may be new events. */
typedef void (*NestEventsFunc)(gpointer user_data);
guint nest_core_watch_events(NestCore *core, NestEventsFunc func, gpointer user_data);
void nest_core_unwatch_events(NestCore *core, guint id);
