/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-tree.h"
#include "nest-codec.h"
#include "nest-tree-sum.h"

void nest_tree_branch_free(NestTreeBranch *branch)
{
    g_free(branch->summary);
    nest_inner_vms_free(branch->inner);
    g_free(branch->unknown);
    g_free(branch);
}

/* How much the guest has inside is judged by what it has now: that may have been another when it
 * was asked. */
static void judge_inner(NestInnerVms *inner, const NestTreeVm *vm)
{
    const NestTreeRoom room = {"inner VMs", vm->memory_kib, vm->vcpus};
    g_strfreev(inner->overcommitted);
    inner->overcommitted = nest_tree_sum_judge(inner->all, inner->active, &room);
}

static NestTreeVm *make_vm(NestTreeBranch *branch)
{
    g_autoptr(NestVmSummary) summary = nest_codec_from_text(
        &nest_vm_summary_record, branch->summary, -1, NEST_CODEC_LENIENT, NULL);
    if (summary == NULL)
        return NULL;
    NestTreeVm *vm = nest_record_new(&nest_tree_vm_record);
    vm->uuid = g_steal_pointer(&summary->uuid);
    vm->name = g_steal_pointer(&summary->name);
    vm->state = summary->state;
    vm->accel = summary->accel;
    vm->nesting = summary->nesting;
    vm->activity = summary->activity;
    vm->memory_kib = summary->memory_kib;
    vm->vcpus = summary->vcpus;
    vm->inner = g_steal_pointer(&branch->inner);
    vm->inner_unknown = g_steal_pointer(&branch->unknown);
    vm->inner_time = branch->time;
    if (vm->inner != NULL)
        judge_inner(vm->inner, vm);
    return vm;
}

static char *hypervisor_of(const NestHost *host)
{
    if (host->qemu_version == NULL)
        return NULL;
    return g_strdup_printf("QEMU %s, libvirt %s", host->qemu_version,
        host->libvirt_version != NULL ? host->libvirt_version : "?");
}

NestTree *nest_tree_make(const NestHost *host, guint64 memory_kib, GPtrArray *branches)
{
    NestTree *tree = nest_record_new(&nest_tree_record);
    tree->name = g_strdup(host->name);
    tree->hypervisor = hypervisor_of(host);
    tree->cpus = host->cpus;
    tree->memory_kib = memory_kib;
    tree->all = nest_record_new(&nest_tree_sum_record);
    tree->active = nest_record_new(&nest_tree_sum_record);
    for (guint i = 0; i < branches->len; i++) {
        NestTreeBranch *branch = g_ptr_array_index(branches, i);
        NestTreeVm *vm = make_vm(branch);
        if (vm == NULL)
            continue;
        nest_tree_sum_add(tree->all, vm->memory_kib, vm->vcpus);
        if (nest_tree_sum_is_active(vm->state))
            nest_tree_sum_add(tree->active, vm->memory_kib, vm->vcpus);
        if (branch->hidden)
            nest_tree_vm_free(vm);
        else
            g_ptr_array_add(tree->vms, vm);
    }
    const NestTreeRoom room = {"VMs", memory_kib, host->cpus};
    tree->overcommitted = nest_tree_sum_judge(tree->all, tree->active, &room);
    return tree;
}
