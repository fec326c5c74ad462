/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-core.h"
#include "nest-inventory.h"
#include "nest-job.h"
#include "nest-operations.h"
#include "nest-recipes.h"
#include "nest-record.h"
#include "nest-traces.h"

/* The inside of NestCore, for the nest-core-*.c files only.
 *
 * Threads: the main thread owns everything here. Workers get what they need handed over, and hand
 * results back with nest_core_post(). Six pools, so that none waits for another: jobs (one
 * thread per operation), readers (plans, refresh), one prober of the host, which does not need the
 * hypervisor, one looker into running VMs, visitors of guests, who wait for what is in there, and
 * one scribe that writes what is known of VMs to the store in order. */

#define NEST_VISITORS 16

/* The proofs of one accel. */
typedef struct {
    NestProof *last; /* NULL: none */
    GPtrArray *waiters; /* GTask: for the next one */
    gboolean running;
    gboolean again; /* the host changed while it ran */
} NestProving;

/* What guests said of what is inside them; nest-core-tree.c. */
typedef struct NestForest NestForest;

typedef enum { NEST_CORE_OPENING, NEST_CORE_OPEN, NEST_CORE_UNAVAILABLE } NestCoreState;

struct NestCore {
    const NestConfig *config;
    NestStore *store;
    NestBackend *backend;
    NestHostHands *hands;
    NestMarks *marks;
    NestSampler *sampler;
    NestRecipes *recipes;
    gint64 started;

    NestCoreState state;
    NestProblem *problem; /* why the backend is unavailable */
    guint reopen_timer;
    guint reopen_seconds;
    gboolean recovered;
    gboolean recovering, reopening; /* the hypervisor is being opened, with and without recovery */
    gboolean listed; /* since it was opened, all VMs were read */
    gboolean stopping;

    GThreadPool *jobs, *readers, *prober, *scribe, *looker, *visitors;
    int busy; /* tasks pushed and not finished; atomic */

    NestInventory *inventory;
    GArray *entries; /* NestVmEntry, made on demand */
    NestOperations *operations;
    guint execs; /* commands and transfers under way inside VMs */
    guint looks; /* guests that are asked for their checks */
    NestTraces *traces;
    guint clear_timer; /* while something is to be taken away */
    gboolean clearing;
    GHashTable *unrecorded; /* gint64 * → NestJob */
    GQueue *waiting; /* requests until the backend is open */

    NestHostPlace *place;
    NestHostSnapshot *host;
    gint64 host_time; /* monotonic, µs */
    char *host_verdicts; /* nest_verdicts_to_text(), as stored; NULL: never judged */
    GPtrArray *host_waiters;
    gboolean host_probing;

    NestProving proving[NEST_ACCEL_TCG + 1]; /* by accel */
    GHashTable *proving_vms; /* uuid → GPtrArray of GTask: who waits for the turn of a VM */
    GQueue *proving_turns; /* their uuids in order */
    gboolean proving_vm; /* one is under way */
    NestForest *forest;
    GHashTable *verifying; /* uuid → what is under way there */
    GCancellable *ending; /* fires where nestd stops */

    GHashTable *dirty; /* uuids to read again */
    gboolean refreshing, refresh_all;
    guint reconcile_timer;
    guint sample_timer; /* while a VM runs, and until a look found none */
    gboolean sampling, sample_failed;
    gint64 rest_until; /* no look before, monotonic µs */
    guint64 order; /* of readings; atomic */

    GHashTable *watches; /* id → Watch */
    guint next_watch;
    int events_pending; /* atomic */
};

typedef void (*NestWork)(gpointer data);

/* Runs work(data) on a thread of pool. */
void nest_core_push(NestCore *core, GThreadPool *pool, NestWork work, gpointer data);

/* Runs func(data) on the main thread, in the order of the calls of one thread. */
void nest_core_post(NestWork func, gpointer data);

/* nest-core-question.c */
typedef struct {
    NestCore *core;
    NestHostSnapshot *host; /* as it is known when the answer is begun */
    char *uuid; /* NULL: it is about no VM */
    gpointer wish; /* what is asked for, of the kind's own type; NULL: no more is to be said */
} NestQuestion;
typedef struct {
    gboolean visits; /* waits for a guest; others read */
    gpointer (*answer)(const NestQuestion *question, GError **error); /* on a thread of a pool */
    GDestroyNotify free_answer;
    GDestroyNotify free_wish;
} NestQuestionKind;
/* Has it answered once the backend is open: g_task_propagate_pointer() gives the answer. vm NULL:
 * it is about none. wish is taken over. */
void nest_core_ask(NestCore *core, const char *vm, const NestQuestionKind *kind, gpointer wish,
    GAsyncReadyCallback callback, gpointer user_data);

/* nest-core-refresh.c */
void nest_core_mark_dirty(NestCore *core, const char *uuid);
void nest_core_reconcile(NestCore *core);
/* Puts cards (taken over, array of NestVmCard) in, takes gone out, records the differences. */
void nest_core_admit(NestCore *core, GPtrArray *cards, const GPtrArray *gone);
guint64 nest_core_next_order(NestCore *core);

/* Stores events (taken over), in order with all else. */
void nest_core_record(NestCore *core, GPtrArray *events);

/* nest-core-activity.c */
/* What the inventory that was loaded says was told. */
void nest_core_recall_activity(NestCore *core);
/* Looks at running VMs from now on, if any runs. */
void nest_core_watch_activity(NestCore *core);
/* Tells of changes (NestActivityChange), and has the VMs read again. */
void nest_core_note_activity(NestCore *core, const GPtrArray *changes);

/* nest-core-open.c */
void nest_core_open(NestCore *core);
/* The backend's handler; any thread. */
void nest_core_on_backend(NestBackendEvent event, const char *uuid, gpointer user_data);
void nest_core_lost(NestCore *core, const GError *error);

/* nest-core-guest.c */
/* Whether somebody who counts in core->execs already may go into vm now, and its names. */
gboolean nest_core_enter_guest(
    NestCore *core, const char *vm, char **ret_uuid, char **ret_name, GError **error);
/* Commits an event that tells of a visit, before it begins. Any thread. */
gboolean nest_core_note_visit(NestCore *core, const char *kind, const char *uuid, const char *name,
    const char *message, GError **error);

/* nest-core-clear.c */
gboolean nest_core_recall_traces(NestCore *core, GError **error);
/* Takes away by and by what is left in guests that run. To be called when that may be others. */
void nest_core_clear_guests(NestCore *core);

/* nest-core-change.c */
gboolean nest_core_resolve(NestCore *core, const char *ref, char **ret_uuid, GError **error);
/* An error where the backend is unavailable or nestd is stopping. */
gboolean nest_core_check_open(NestCore *core, GError **error);
/* Runs go(data) now, or once the backend is open; task is borrowed by data and fails with it. */
void nest_core_when_open(
    NestCore *core, NestWork go, gpointer data, GDestroyNotify free_data, GTask *task);
void nest_core_run_waiting(NestCore *core);
void nest_core_refuse_waiting(NestCore *core);
/* Tries to record job, which it takes over, until that works. */
void nest_core_keep_unrecorded(NestCore *core, NestJob *job);

/* nest-core-verdicts.c */
/* Adds the events for what changed of card's checks since before (letters, nullable); told counts
 * what changed in this reading of VMs. */
void nest_core_note_verdicts(
    const NestVmCard *card, const char *before, guint *told, GPtrArray *events);
/* Adds an event for those that were too many to be told one by one. */
void nest_core_sum_verdicts_up(guint told, GPtrArray *events);
/* Tells what changed of the host's checks since they were last judged. */
void nest_core_note_host(NestCore *core, const NestHost *host);
gboolean nest_core_recall_verdicts(NestCore *core, GError **error);

/* nest-core-given.c */
/* Takes over what old (nullable) knows of the run that card is of, and finds out whether this nestd
 * saw it begin. Before card replaces old. */
void nest_core_carry_start(NestCore *core, const NestVmCard *old, NestVmCard *card);
/* Tells of the CPU that the VM got, and has it powered off where that is the policy. */
void nest_core_note_given(NestCore *core, NestVmCard *card, GPtrArray *events);

/* nest-core-prove.c */
void nest_core_prove_init(NestCore *core);
void nest_core_prove_clear(NestCore *core);
/* Adds what was proved to host. */
void nest_core_prove_tell(NestCore *core, NestHost *host);
/* Proves again what is outdated: the backend is open now, or the host has changed. */
void nest_core_prove_again(NestCore *core, const NestHost *host);

/* nest-core-prove-vm.c */
void nest_core_prove_vms_init(NestCore *core);
void nest_core_prove_vms_clear(NestCore *core);
/* Takes what was proved of VMs and verified in them (up to NULL) out of the store. Any thread. */
void nest_core_forget_proofs(NestStore *store, const char *const *uuids);

/* nest-core-tree.c */
void nest_core_tree_init(NestCore *core);
void nest_core_tree_clear(NestCore *core);
/* nestd stops: nobody is kept waiting. */
void nest_core_tree_refuse(NestCore *core);

/* nest-core-verify.c */
void nest_core_forget_verification(NestStore *store, const char *uuid);

/* nest-core-host.c */
/* What is known of the host now. */
NestHost *nest_core_show_host(NestCore *core);
/* Has the host read afresh, without anybody waiting for it. */
void nest_core_probe_host(NestCore *core);
void nest_core_set_host(NestCore *core, NestHostSnapshot *host);
