/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-catalogue.h"
#include "nest-checks.h"
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-error.h"
#include "nest-guest-look.h"
#include "nest-host-snapshot.h"
#include "nest-record.h"

static gboolean has_failed(const GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++)
        if (nest_check_failed(g_ptr_array_index(checks, i)))
            return TRUE;
    return FALSE;
}

typedef struct {
    NestCore *core;
    GTask *task;
    NestVm *vm;
    NestGuestFacts *facts; /* NULL: the guest was not asked */
    gboolean all;
    gboolean asks; /* and counts in core->looks */
} Checking;

static void checking_free(gpointer data)
{
    Checking *checking = data;
    checking->core->looks -= checking->asks;
    g_object_unref(checking->task);
    nest_vm_free(checking->vm);
    nest_guest_facts_free(checking->facts);
    g_free(checking);
}

static void tell(gpointer data)
{
    Checking *checking = data;
    NestVm *vm = checking->vm;
    g_autofree char *today = nest_host_snapshot_today();
    GPtrArray *inside =
        nest_checks_guest(vm, checking->facts, checking->core->config->policy, today);
    vm->supports = vm->supports && !has_failed(inside);
    g_ptr_array_extend_and_steal(vm->checks, inside);
    g_task_return_pointer(checking->task,
        nest_check_report(vm->uuid, vm->name, vm->supports, vm->checks, checking->all),
        (GDestroyNotify)nest_check_report_free);
    checking_free(checking);
}

static void ask_guest(gpointer data)
{
    Checking *checking = data;
    NestCore *core = checking->core;
    checking->facts = nest_guest_look(core->backend, checking->vm->uuid, core->ending);
    nest_core_post(tell, checking);
}

static void visit(gpointer data)
{
    Checking *checking = data;
    nest_core_push(checking->core, checking->core->visitors, ask_guest, checking);
}

/* Half of the visitors are left to others. */
static gboolean may_ask(NestCore *core, GError **error)
{
    if (!nest_core_check_open(core, error))
        return FALSE;
    if (core->looks < NEST_VISITORS / 2)
        return TRUE;
    nest_set_error(error, NEST_ERROR_TOO_MANY, "wait until one has answered",
        "%u guests are being asked for their checks", core->looks);
    return FALSE;
}

static NestVm *find(NestCore *core, const char *ref, GError **error)
{
    NestVmEntry entry;
    return nest_core_vm(core, ref, &entry, error)
        ? nest_codec_from_text(&nest_vm_record, entry.text, -1, NEST_CODEC_LENIENT, error)
        : NULL;
}

void nest_core_check_vm_async(NestCore *core, const char *ref, gboolean all, gboolean guest,
    GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    GError *error = NULL;
    g_autoptr(NestVm) vm = find(core, ref, &error);
    gboolean asked = guest && vm != NULL && nest_checks_guest_is_open(vm);
    if (vm == NULL || (asked && !may_ask(core, &error))) {
        g_task_return_error(task, error);
        return;
    }
    /* What no event tells, such as a flag of a bridge port, is read again for who asks again. */
    nest_core_mark_dirty(core, vm->uuid);
    Checking *checking = g_new0(Checking, 1);
    *checking =
        (Checking){core, g_object_ref(task), g_steal_pointer(&vm), .all = all, .asks = asked};
    core->looks += asked;
    if (asked)
        nest_core_when_open(core, visit, checking, checking_free, task);
    else
        tell(checking);
}

NestCheckReport *nest_core_check_vm_finish(NestCore *core, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
