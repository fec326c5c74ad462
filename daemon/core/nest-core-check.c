/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-check-catalogue.h"
#include "nest-checks.h"
#include "nest-codec.h"
#include "nest-core-private.h"
#include "nest-host-snapshot.h"
#include "nest-record.h"

static gboolean has_failed(const GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++)
        if (nest_check_failed(g_ptr_array_index(checks, i)))
            return TRUE;
    return FALSE;
}

NestCheckReport *nest_core_check_vm(NestCore *core, const char *ref, gboolean all, GError **error)
{
    g_autoptr(NestVm) vm = NULL;
    NestVmEntry entry;
    if (nest_core_vm(core, ref, &entry, error))
        vm = nest_codec_from_text(&nest_vm_record, entry.text, -1, NEST_CODEC_LENIENT, error);
    if (vm == NULL)
        return NULL;
    /* What no event tells, such as a flag of a bridge port, is read again for who asks again. */
    nest_core_mark_dirty(core, vm->uuid);
    g_autofree char *today = nest_host_snapshot_today();
    GPtrArray *inside = nest_checks_guest(vm, NULL, core->config->policy, today);
    vm->supports = vm->supports && !has_failed(inside);
    g_ptr_array_extend_and_steal(vm->checks, inside);
    return nest_check_report(vm->uuid, vm->name, vm->supports, vm->checks, all);
}
