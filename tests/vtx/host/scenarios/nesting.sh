# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# From a VM that can't nest to one that does, and back.
must kvm load_kvm
start_nestd
step prove nestctl --json prove
step status nestctl status
create vm
step status-created nestctl status vm
must enable nestctl enable vm --yes --no-memory
boot vm enabled
reach vm hosting hosting
step stop nestctl stop vm
must stop-forced nestctl stop vm --force --reason "the test goes on"
must disable nestctl disable vm --yes
boot vm disabled
