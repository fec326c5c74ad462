/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-proof-history.h"
#include "nest-proof-run.h"

/* Proofs of the host: one at a time of each accel. Who asks while one is under way gets the next
 * one, together with all others who ask meanwhile: what counts began after it was asked for. */

void nest_core_prove_tell(NestCore *core, NestHost *host)
{
    for (guint accel = NEST_ACCEL_KVM; accel <= NEST_ACCEL_TCG; accel++) {
        NestProof *proof = nest_record_copy(&nest_proof_record, core->proving[accel].last);
        if (proof == NULL)
            continue;
        proof->outdated = nest_proof_is_outdated(proof, host);
        g_ptr_array_add(host->proofs, proof);
    }
}

static void start(NestCore *core, NestAccel accel);

/* What began before the host changed tells of the host before. */
static gboolean is_overtaken(NestCore *core, NestProving *proving, const NestProofRun *run)
{
    gboolean again = proving->again && run->proof != NULL && !core->stopping;
    proving->again = FALSE;
    if (!again)
        return FALSE;
    g_autoptr(NestHost) host = nest_core_show_host(core);
    return nest_proof_is_outdated(proving->last, host);
}

static void ended(NestProofRun *run)
{
    NestProving *proving = &run->core->proving[run->accel];
    proving->running = FALSE;
    if (run->proof != NULL) {
        nest_proof_free(proving->last);
        proving->last = nest_record_copy(&nest_proof_record, run->proof);
    } else if (run->waiters->len == 0) {
        g_warning("the proof of %s was not repeated: %s", nest_nick(nest_accel_nicks, run->accel),
            run->error->message);
    }
    if (is_overtaken(run->core, proving, run) || proving->waiters->len > 0)
        start(run->core, run->accel);
}

static void start(NestCore *core, NestAccel accel)
{
    NestProving *proving = &core->proving[accel];
    GPtrArray *waiters = g_steal_pointer(&proving->waiters);
    proving->waiters = g_ptr_array_new_with_free_func(g_object_unref);
    proving->running = TRUE;
    nest_proof_run_start(core, accel, NULL, waiters, ended);
}

typedef struct {
    NestCore *core;
    NestAccel accel;
    GTask *task;
} Asking;

static void asking_free(gpointer data)
{
    Asking *asking = data;
    g_object_unref(asking->task);
    g_free(asking);
}

/* KVM where there is an extension that it should pass on, also where it is switched off: that is to
 * be found out then. */
static NestAccel accel_of(const NestHostSnapshot *host)
{
    gboolean kvm = host->caps != NULL && host->caps->kvm &&
        (host->caps->kvm_extension != NEST_EXTENSION_NONE ||
            nest_host_extension(host->facts) != NEST_EXTENSION_NONE);
    return kvm ? NEST_ACCEL_KVM : NEST_ACCEL_TCG;
}

static void ask(gpointer data)
{
    Asking *asking = data;
    NestCore *core = asking->core;
    NestAccel accel = asking->accel == NEST_ACCEL_AUTO ? accel_of(core->host) : asking->accel;
    g_ptr_array_add(core->proving[accel].waiters, g_object_ref(asking->task));
    if (!core->proving[accel].running)
        start(core, accel);
    asking_free(asking);
}

void nest_core_prove_async(
    NestCore *core, NestAccel accel, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    if (!nest_core_check_open(core, &error)) {
        g_task_return_error(task, error);
        return;
    }
    Asking *asking = g_new(Asking, 1);
    *asking = (Asking){core, accel, g_object_ref(task)};
    nest_core_when_open(core, ask, asking, asking_free, task);
}

NestProof *nest_core_prove_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    const NestProof *first = *(NestProof *const *)a, *second = *(NestProof *const *)b;
    return (second->time > first->time) - (second->time < first->time);
}

GPtrArray *nest_core_proof_history(NestCore *core)
{
    GPtrArray *proofs = nest_proof_history_load(core->store, NEST_ACCEL_KVM);
    g_ptr_array_extend_and_steal(proofs, nest_proof_history_load(core->store, NEST_ACCEL_TCG));
    g_ptr_array_sort(proofs, by_time);
    return proofs;
}

void nest_core_prove_again(NestCore *core, const NestHost *host)
{
    for (guint accel = NEST_ACCEL_KVM; accel <= NEST_ACCEL_TCG; accel++) {
        NestProving *proving = &core->proving[accel];
        if (proving->running)
            proving->again = TRUE;
        else if (proving->last != NULL && nest_proof_is_outdated(proving->last, host))
            start(core, accel);
    }
}

void nest_core_prove_init(NestCore *core)
{
    core->ending = g_cancellable_new();
    core->verifying = g_hash_table_new(g_str_hash, g_str_equal);
    nest_core_prove_vms_init(core);
    for (guint accel = NEST_ACCEL_AUTO; accel <= NEST_ACCEL_TCG; accel++) {
        core->proving[accel].waiters = g_ptr_array_new_with_free_func(g_object_unref);
        core->proving[accel].last = nest_proof_run_last(core->store, accel, NULL);
    }
}

void nest_core_prove_clear(NestCore *core)
{
    for (guint accel = NEST_ACCEL_AUTO; accel <= NEST_ACCEL_TCG; accel++) {
        nest_proof_free(core->proving[accel].last);
        g_ptr_array_unref(core->proving[accel].waiters);
    }
    g_hash_table_unref(core->verifying);
    nest_core_prove_vms_clear(core);
    g_object_unref(core->ending);
}
