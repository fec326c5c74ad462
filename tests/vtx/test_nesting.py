#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd on a host with VT-x, emulated: its verdict, the proof under KVM, and a VM that runs guests
of its own from when nesting is enabled until it is disabled."""

import bed
from bed import FAILED, GUARDED


class TestNesting(bed.Case):
    scenario = "nesting"

    def test_status_says_yes(self):
        self.ended("status", 0, "Supports nested virtualization: YES   VT-x, EPT, nested=Y",
                   "An inner VM ran on KVM: YES")

    def test_prove_runs_inner_code_under_kvm(self):
        self.check_proved(self.done("prove").json, "vmx")

    def test_inner_guest_runs_only_while_nesting_is_enabled(self):
        self.ended("status-created", FAILED, "vm supports nested virtualization: NO")
        self.says("enabled", "extension vmx", "kvm-module kvm_intel loaded",
                  "inner-guest OK sum=5050 exits=1000", "inner-guest beating")
        self.says("disabled", "extension none", "inner-guest FAILED")

    def test_live_state_and_its_guard(self):
        self.check_reached("hosting", "hosting")
        self.ended("stop", GUARDED, "the inner VMs are cut off")
        self.done("stop-forced")

    def test_log_is_calm(self):
        self.check_calm()


if __name__ == "__main__":
    bed.main()
