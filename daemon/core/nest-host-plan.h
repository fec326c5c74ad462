/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "nest-host-block.h"
#include "nest-host-planning.h"

/* The plan to make a host fit for nesting, pure. blocks is nullable. decline (nullable): ids of
 * optional items to leave out. *ret_change: what it does, without a setting unless its verdict is
 * "steps". Items in the order shown:
 *
 * id              when
 * kvm-module      the KVM module that fits the CPU is not loaded
 * nested          it is loaded without nesting, and nothing uses it
 * nested-persist  optional: the next boot would not, or not for sure, switch nesting on
 * kvm-access      optional: neither everybody nor the group kvm may use /dev/kvm
 * libvirt-guests  optional: libvirt-guests saves VMs when the host goes down
 * port-NAME       optional: frames of inner VMs end at that port of a bridge
 * function-NAME-N optional: they end at that network card, which checks its virtual function N
 *
 * A host without an extension to give is refused, unless there is a block to take away. What stands
 * in the way of one item (a module that is in use or built in, a file that wins over ours) is a
 * warning where others are left, else the reason to refuse. */
NestPlan *nest_host_plan_make(const NestHostFacts *host, const NestHostRepair *repair,
    const NestHostBlocks *blocks, const char *const *decline, NestHostChange **ret_change);

/* TRUE if access ("0660 0 104") lets QEMU use the device, which is in the group kvm. */
gboolean nest_host_plan_access_is_enough(const char *access, gint64 kvm_gid);
