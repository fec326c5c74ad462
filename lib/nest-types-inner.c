/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nest-record-table.h"

static const NestField nest_inner_vm_fields[] = {
    FIELD(NestInnerVm, name, STRING, REQUIRED),
    FIELD(NestInnerVm, by, STRING, REQUIRED),
    FIELD(NestInnerVm, id, STRING, OPTIONAL),
    NICKS(NestInnerVm, state, OPTIONAL, nest_vm_state_nicks),
    FIELD(NestInnerVm, memory_kib, UINT64, OPTIONAL),
    FIELD(NestInnerVm, vcpus, UINT, OPTIONAL),
    FIELD(NestInnerVm, managed, BOOL, OPTIONAL),
};
RECORD(nest_inner_vm, NestInnerVm, "inner virtual machine");

static const NestField nest_tree_sum_fields[] = {
    FIELD(NestTreeSum, count, UINT, OPTIONAL),
    FIELD(NestTreeSum, memory_kib, UINT64, OPTIONAL),
    FIELD(NestTreeSum, vcpus, UINT, OPTIONAL),
};
RECORD(nest_tree_sum, NestTreeSum, "sum");

static const NestField nest_inner_vms_fields[] = {
    FIELD(NestInnerVms, hypervisors, STRV, OPTIONAL),
    FIELD(NestInnerVms, kvm, BOOL, OPTIONAL),
    NESTED(NestInnerVms, vms, RECORDS, OPTIONAL, nest_inner_vm_record),
    FIELD(NestInnerVms, more, UINT, OPTIONAL),
    NESTED(NestInnerVms, all, RECORD, OPTIONAL, nest_tree_sum_record),
    NESTED(NestInnerVms, active, RECORD, OPTIONAL, nest_tree_sum_record),
    FIELD(NestInnerVms, overcommitted, STRV, OPTIONAL),
    FIELD(NestInnerVms, warnings, STRV, OPTIONAL),
};
RECORD(nest_inner_vms, NestInnerVms, "inner virtual machines");

static const NestField nest_inner_spec_fields[] = {
    FIELD(NestInnerSpec, name, STRING, REQUIRED),
    FIELD(NestInnerSpec, by, STRING, OPTIONAL),
    FIELD(NestInnerSpec, memory_kib, UINT64, REQUIRED),
    FIELD(NestInnerSpec, vcpus, UINT, OPTIONAL),
    FIELD(NestInnerSpec, disk_bytes, UINT64, OPTIONAL),
    FIELD(NestInnerSpec, disk, STRING, OPTIONAL),
    FIELD(NestInnerSpec, disk_format, STRING, OPTIONAL),
    FIELD(NestInnerSpec, iso, STRING, OPTIONAL),
    FIELD(NestInnerSpec, kernel, STRING, OPTIONAL),
    FIELD(NestInnerSpec, initrd, STRING, OPTIONAL),
    FIELD(NestInnerSpec, cmdline, STRING, OPTIONAL),
    FIELD(NestInnerSpec, network, STRING, OPTIONAL),
    NICKS(NestInnerSpec, accel, OPTIONAL, nest_accel_nicks),
    FIELD(NestInnerSpec, start, BOOL, OPTIONAL),
};
RECORD(nest_inner_spec, NestInnerSpec, "inner virtual machine");

static const NestField nest_inner_wish_fields[] = {
    NICKS(NestInnerWish, state, REQUIRED, nest_vm_state_nicks),
    FIELD(NestInnerWish, force, BOOL, OPTIONAL),
    FIELD(NestInnerWish, timeout, UINT, OPTIONAL),
    FIELD(NestInnerWish, by, STRING, OPTIONAL),
};
RECORD(nest_inner_wish, NestInnerWish, "state of an inner virtual machine");

static const NestField nest_inner_console_fields[] = {
    FIELD(NestInnerConsole, name, STRING, REQUIRED),
    FIELD(NestInnerConsole, by, STRING, REQUIRED),
    FIELD(NestInnerConsole, text, STRING, REQUIRED),
};
RECORD(nest_inner_console, NestInnerConsole, "serial console");

static const NestField nest_tree_vm_fields[] = {
    FIELD(NestTreeVm, uuid, STRING, REQUIRED),
    FIELD(NestTreeVm, name, STRING, REQUIRED),
    NICKS(NestTreeVm, state, OPTIONAL, nest_vm_state_nicks),
    NICKS(NestTreeVm, accel, OPTIONAL, nest_accel_nicks),
    NICKS(NestTreeVm, nesting, OPTIONAL, nest_nesting_nicks),
    NICKS(NestTreeVm, activity, OPTIONAL, nest_activity_nicks),
    FIELD(NestTreeVm, memory_kib, UINT64, OPTIONAL),
    FIELD(NestTreeVm, vcpus, UINT, OPTIONAL),
    NESTED(NestTreeVm, inner, RECORD, OPTIONAL, nest_inner_vms_record),
    FIELD(NestTreeVm, inner_unknown, STRING, OPTIONAL),
    FIELD(NestTreeVm, inner_time, INT64, OPTIONAL),
};
RECORD(nest_tree_vm, NestTreeVm, "virtual machine");

static const NestField nest_tree_fields[] = {
    FIELD(NestTree, name, STRING, OPTIONAL),
    FIELD(NestTree, hypervisor, STRING, OPTIONAL),
    FIELD(NestTree, cpus, UINT, OPTIONAL),
    FIELD(NestTree, memory_kib, UINT64, OPTIONAL),
    NESTED(NestTree, all, RECORD, OPTIONAL, nest_tree_sum_record),
    NESTED(NestTree, active, RECORD, OPTIONAL, nest_tree_sum_record),
    FIELD(NestTree, overcommitted, STRV, OPTIONAL),
    NESTED(NestTree, vms, RECORDS, OPTIONAL, nest_tree_vm_record),
};
RECORD(nest_tree, NestTree, "tree");

FREE(nest_inner_vm, NestInnerVm)
FREE(nest_inner_vms, NestInnerVms)
FREE(nest_inner_spec, NestInnerSpec)
FREE(nest_inner_wish, NestInnerWish)
FREE(nest_inner_console, NestInnerConsole)
FREE(nest_tree_vm, NestTreeVm)
FREE(nest_tree, NestTree)
