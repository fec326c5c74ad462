#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What takes too long for each run: every live state, saving and checkpoints while an inner guest
runs, toggling nesting in the module, AMD-V, and hosts that can't nest, each with its own verdict."""

import bed
from bed import FAILED, GUARDED

YES = "Supports nested virtualization: YES"
NO = "Supports nested virtualization: NO"


class TestModule(bed.Case):
    scenario = "module"

    def test_nested_off(self):
        self.ended("status", FAILED, NO, "nested=N", "host.kvm.nested")
        self.ended("prove", 1, "NO", "kvm_intel has nested=N", "nestctl host fix")
        self.assertNotEqual(self.log.step("start").status, 0)

    def test_fixed(self):
        self.done("fix")
        self.ended("fixed-status", 0, YES, "nested=Y")
        self.check_proved(self.done("fixed-prove").json, "vmx")
        self.assertIn("options kvm_intel nested=1", self.done("kept").text)
        self.done("fixed-start")

    def test_undone(self):
        """What was enabled before does not start without the extension that it demands."""
        self.done("undo")
        self.ended("undone-status", FAILED, NO, "nested=N")
        self.assertNotEqual(self.log.step("undone-start").status, 0)


class TestStates(bed.Case):
    scenario = "states"

    def test_exposed(self):
        self.check_reached("exposed", "exposed")
        self.done("stop-exposed")

    def test_off(self):
        self.says("plain", "extension none")
        self.check_reached("off", "off")
        self.done("stop-off")

    def test_armed(self):
        self.says("armed", "inner-guest OK", "inner-guest held")
        self.check_reached("armed", "armed")
        self.done("stop-armed")


class TestKeeping(bed.Case):
    scenario = "keeping"

    def test_as_hyperv_it_is_refused(self):
        self.check_reached("first", "hosting")
        for operation in ["save", "checkpoint", "memory", "apply"]:
            self.ended(f"hyperv-{operation}", GUARDED, "parity=hyperv forbids it")

    def test_where_it_is_forced_the_inner_guest_goes_on(self):
        for operation in ["save", "start", "checkpoint", "apply"]:
            self.done(f"forced-{operation}")
        for moment in ["restored", "kept", "applied"]:
            self.check_reached(moment, "hosting")

    def test_as_kvm_it_is_done(self):
        self.check_reached("kvm", "hosting")
        self.done("kvm-save")
        self.check_reached("kvm-restored", "hosting")

    def test_strict_refuses_what_may_nest(self):
        self.check_reached("strict", "exposed")
        self.ended("strict-save", GUARDED, "parity=strict forbids it")


class TestAmd(bed.Case):
    scenario = "amd"
    model = bed.AMD

    def test_status_says_yes(self):
        self.ended("status", 0, YES + "   AMD-V")
        self.check_proved(self.done("prove").json, "svm")

    def test_inner_guest_runs_only_while_nesting_is_enabled(self):
        self.says("before", "extension none", "inner-guest FAILED")
        self.says("enabled", "extension svm", "kvm-module kvm_amd loaded",
                  "inner-guest OK sum=5050 exits=1000", "inner-guest held")
        self.says("disabled", "extension none", "inner-guest FAILED")

    def test_saving_is_refused(self):
        self.check_reached("armed", "armed")
        self.ended("save", GUARDED)


class CannotCase(bed.Case):
    """Of a host that has no extension to give."""

    scenario = "cannot"

    def check_cannot(self, *says):
        self.assertNotEqual(self.log.step("kvm").status, 0)
        self.ended("status", FAILED, NO, *says)
        self.assertNotEqual(self.log.step("prove").status, 0)
        self.assertNotEqual(self.log.step("create").status, 0)


class TestWithoutExtension(CannotCase):
    model = bed.NO_EXTENSION

    def test_verdict(self):
        self.check_cannot("host.cpu.virt")
        self.assertNotIn("host.bios.lock", self.log.step("status").text)


class TestLockedByFirmware(CannotCase):
    locked = True

    def test_verdict(self):
        self.check_cannot("host.bios.lock", "Firmware has locked the extension.")


del CannotCase

if __name__ == "__main__":
    bed.main()
