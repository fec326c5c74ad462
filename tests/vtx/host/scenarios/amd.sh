# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# AMD-V. The inner guest does not spin: one without exits stalls on Bochs.
export then=hold
must kvm load_kvm
start_nestd
step prove nestctl --json prove
step status nestctl status
create vm
boot vm before
must enable nestctl enable vm --yes --no-memory
boot vm enabled
reach vm armed armed
step save nestctl save vm
must disable nestctl disable vm --yes
boot vm disabled
