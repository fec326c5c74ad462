# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What a VM may do with its extension short of hosting, and what powering it off meets there.
must kvm load_kvm
start_nestd
create_bare
reach bare exposed exposed
step stop-exposed nestctl stop bare
create plain
boot plain plain
reach plain off off
step stop-off nestctl stop plain
export then=hold
create armed --nested
boot armed armed
reach armed armed armed
step stop-armed nestctl stop armed
