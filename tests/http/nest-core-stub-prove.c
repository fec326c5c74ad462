/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core.h"
#include "nest-record.h"

/* The part of the stub core that proves: always, and at once. */

static void answer(GAsyncReadyCallback callback, gpointer user_data, GError *error)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    if (error != NULL)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

void nest_core_prove_async(
    NestCore *core, NestAccel accel, GAsyncReadyCallback callback, gpointer user_data)
{
    answer(callback, user_data, NULL);
}

void nest_core_prove_vm_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    NestVmEntry entry;
    GError *error = NULL;
    nest_core_vm(core, vm, &entry, &error);
    answer(callback, user_data, error);
}

gboolean nest_core_proof(NestCore *core, const char *vm, NestProof **ret_proof, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_vm(core, vm, &entry, error))
        return FALSE;
    *ret_proof = NULL;
    return TRUE;
}

GPtrArray *nest_core_proof_history(NestCore *core)
{
    return g_ptr_array_new();
}

NestProof *nest_core_prove_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    NestProof *proof = nest_record_new(&nest_proof_record);
    proof->code = g_strdup("proved");
    proof->proved = TRUE;
    return proof;
}
