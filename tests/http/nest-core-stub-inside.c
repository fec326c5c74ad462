/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-codec.h"
#include "nest-core-stub.h"

/* What the stub says of the inside of VMs: what it says of them anyway. */

void nest_core_check_vm_async(NestCore *core, const char *ref, gboolean all, gboolean guest,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    NestVmEntry entry;
    NestCheckReport *report = nest_core_vm(core, ref, &entry, &error)
        ? nest_codec_from_text(&nest_check_report_record, all ? entry.text : entry.brief, -1,
              NEST_CODEC_LENIENT, &error)
        : NULL;
    if (report != NULL)
        g_task_return_pointer(task, report, (GDestroyNotify)nest_check_report_free);
    else
        g_task_return_error(task, error);
}

NestCheckReport *nest_core_check_vm_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void nest_core_verify_async(
    NestCore *core, const char *vm, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    NestVerification *result = NULL;
    GError *error = NULL;
    NestVmEntry entry;
    if (!nest_core_vm(core, vm, &entry, &error)) {
        g_task_return_error(task, error);
        return;
    }
    result = nest_record_new(&nest_verification_record);
    result->code = g_strdup("no-device");
    g_task_return_pointer(task, result, (GDestroyNotify)nest_verification_free);
}

NestVerification *nest_core_verify_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

gboolean nest_core_verification(
    NestCore *core, const char *vm, NestVerification **ret_result, GError **error)
{
    NestVmEntry entry;
    if (!nest_core_vm(core, vm, &entry, error))
        return FALSE;
    *ret_result = NULL;
    return TRUE;
}
