/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-error.h"
#include "nest-proof-run.h"

/* Proofs of VMs: one at a time, in turn. Who asks for a VM whose turn has not come gets that one;
 * who asks while it is under way, the next. The last of each is in the store alone. */

/* So many VMs may wait for their turn. */
#define TURNS_MAX 16

typedef struct {
    NestCore *core;
    char *uuid;
    GTask *task;
} Asking;

static void asking_free(gpointer data)
{
    Asking *asking = data;
    g_clear_object(&asking->task);
    g_free(asking->uuid);
    g_free(asking);
}

void nest_core_forget_proofs(NestStore *store, const char *const *uuids)
{
    for (; *uuids != NULL; uuids++) {
        g_autofree char *key = nest_proof_run_setting(NEST_ACCEL_AUTO, *uuids);
        g_autoptr(GError) error = NULL;
        if (!nest_store_set_setting(store, key, NULL, &error))
            g_warning("the proof of a virtual machine is not forgotten: %s", error->message);
        nest_core_forget_verification(store, *uuids);
    }
}

static void forget_work(gpointer data)
{
    Asking *gone = data;
    nest_core_forget_proofs(gone->core->store, (const char *const[]){gone->uuid, NULL});
    asking_free(gone);
}

static void next_turn(NestCore *core);

static void ended(NestProofRun *run)
{
    NestCore *core = run->core;
    if (nest_inventory_find(core->inventory, run->uuid) == NULL) {
        Asking *gone = g_new0(Asking, 1);
        gone->core = core;
        gone->uuid = g_strdup(run->uuid);
        nest_core_push(core, core->scribe, forget_work, gone);
    }
    core->proving_vm = FALSE;
    next_turn(core);
}

static void next_turn(NestCore *core)
{
    if (core->proving_vm || g_queue_is_empty(core->proving_turns))
        return;
    g_autofree char *uuid = g_queue_pop_head(core->proving_turns);
    gpointer key = NULL, waiters = NULL;
    g_hash_table_steal_extended(core->proving_vms, uuid, &key, &waiters);
    g_free(key);
    core->proving_vm = TRUE;
    nest_proof_run_start(core, NEST_ACCEL_AUTO, uuid, waiters, ended);
}

static gboolean check_room(const NestCore *core, GError **error)
{
    if (g_hash_table_size(core->proving_vms) < TURNS_MAX)
        return TRUE;
    nest_set_error(error, NEST_ERROR_TOO_MANY, "try again", "%d virtual machines wait to be proved",
        TURNS_MAX);
    return FALSE;
}

static void ask(gpointer data)
{
    Asking *asking = data;
    NestCore *core = asking->core;
    GPtrArray *waiters = g_hash_table_lookup(core->proving_vms, asking->uuid);
    GError *error = NULL;
    if (waiters == NULL && !check_room(core, &error)) {
        g_task_return_error(asking->task, error);
        asking_free(asking);
        return;
    }
    if (waiters == NULL) {
        waiters = g_ptr_array_new_with_free_func(g_object_unref);
        g_hash_table_insert(core->proving_vms, g_strdup(asking->uuid), waiters);
        g_queue_push_tail(core->proving_turns, g_strdup(asking->uuid));
    }
    g_ptr_array_add(waiters, g_object_ref(asking->task));
    asking_free(asking);
    next_turn(core);
}

void nest_core_prove_vm_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    char *uuid = NULL;
    if (!nest_core_check_open(core, &error) || !nest_core_resolve(core, vm, &uuid, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Asking *asking = g_new(Asking, 1);
    *asking = (Asking){core, uuid, g_object_ref(task)};
    nest_core_when_open(core, ask, asking, asking_free, task);
}

gboolean nest_core_proof(NestCore *core, const char *vm, NestProof **ret_proof, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_vm(core, vm, &entry, error))
        return FALSE;
    NestProof *proof = nest_proof_run_last(core->store, NEST_ACCEL_AUTO, entry.uuid);
    if (proof != NULL && core->host != NULL) {
        g_autoptr(NestHost) host = nest_core_show_host(core);
        proof->outdated =
            nest_proof_is_outdated(proof, host) || g_strcmp0(proof->revision, entry.revision) != 0;
    }
    *ret_proof = proof;
    return TRUE;
}

void nest_core_prove_vms_init(NestCore *core)
{
    core->proving_turns = g_queue_new();
    core->proving_vms =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

void nest_core_prove_vms_clear(NestCore *core)
{
    g_queue_free_full(core->proving_turns, g_free);
    g_hash_table_unref(core->proving_vms);
}
