# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Saving a VM that hosts, and checkpoints of it: what each policy refuses, and what becomes of the
# inner guest where it is done.
reason='the test goes on'
must kvm load_kvm
start_nestd
create vm --nested --disk 64M
boot vm first
reach vm hosting first

step hyperv-save nestctl save vm
step hyperv-checkpoint nestctl checkpoint create vm one
step hyperv-memory nestctl memory vm 128M
must forced-save nestctl save vm --force --reason "$reason"
must forced-start nestctl start vm
reach vm hosting restored
must forced-checkpoint nestctl checkpoint create vm one --force --reason "$reason"
reach vm hosting kept
step hyperv-apply nestctl checkpoint apply vm one
must forced-apply nestctl checkpoint apply vm one --force --reason "$reason"
reach vm hosting applied

stop_nestd
start_nestd '[guard]' parity=kvm
reach vm hosting kvm
must kvm-save nestctl save vm
must kvm-start nestctl start vm
reach vm hosting kvm-restored
step kvm-memory nestctl memory vm 128M
must kvm-stop nestctl stop vm --force --reason "$reason"

stop_nestd
start_nestd '[guard]' parity=strict
create_bare
reach bare exposed strict
step strict-save nestctl save bare
