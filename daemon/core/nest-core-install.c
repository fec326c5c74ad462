/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-core-private.h"

/* Plans for hypervisors in guests. */

static gpointer plan(const NestQuestion *question, GError **error)
{
    NestCore *core = question->core;
    g_autoptr(NestVmReading) reading =
        nest_vm_reading_take(core->backend, question->host, core->marks, question->uuid, error);
    return reading != NULL ? nest_job_install_plan(core->backend, core->recipes->entries,
                                 &reading->view, question->wish, error)
                           : NULL;
}

static const NestQuestionKind kind = {
    TRUE, plan, (GDestroyNotify)nest_plan_free, (GDestroyNotify)nest_install_wish_free};

void nest_core_plan_install_async(NestCore *core, const char *vm, const NestInstallWish *wish,
    GAsyncReadyCallback callback, gpointer user_data)
{
    nest_core_ask(
        core, vm, &kind, nest_record_copy(&nest_install_wish_record, wish), callback, user_data);
}
