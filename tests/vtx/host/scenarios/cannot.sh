# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# A host that has no extension to give.
step kvm load_kvm
start_nestd
step status nestctl status
step prove nestctl prove --accel kvm
step create nestctl create vm --memory 256M --accel kvm --network none --nested
