# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Nesting is off in the KVM module, is switched on, and off again.
must kvm load_kvm nested=0
start_nestd
step status nestctl status
step prove nestctl prove --accel kvm
create vm
must enable nestctl enable vm --yes --no-memory
step start nestctl start vm
must fix nestctl host fix --yes
step fixed-status nestctl status
step fixed-prove nestctl --json prove
must fixed-start nestctl start vm
must fixed-stop nestctl stop vm --force --reason 'it has been seen to start'
step kept cat /etc/modprobe.d/nestd.conf
must undo nestctl host undo --yes
step undone-status nestctl status
step undone-start nestctl start vm
