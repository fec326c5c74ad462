#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The proof program on emulated CPUs: that it proves where there is something to prove, and says
what is wrong where there is not."""

import re
import pathlib
import shutil
import unittest

import emulator
import machines

SEED = 0xC0FFEE
KINDS = ["cpuid", "io", "hlt", "page-fault"]
MASK = 0xFFFFFFFF


def answer(seed):
    """What inner code must have computed: see proof-protocol.h."""
    for _ in range(4096):
        seed ^= seed << 13 & MASK
        seed ^= seed >> 17
        seed ^= seed << 5 & MASK
    return seed


class Report:
    """The lines of a report: word -> list of {key: value}."""

    def __init__(self, serial):
        self.serial = serial
        self.lines = {}
        count = 0
        for line in serial.splitlines():
            if line.startswith("nest-proof 1 "):
                word, *pairs = line.split()[2:]
                self.lines.setdefault(word, []).append(dict(p.split("=", 1) for p in pairs))
                count += 1
        self.end = self.lines["end"][0]
        assert int(self.end["lines"]) == count, serial
        assert "begin" in serial.splitlines()[1], serial

    def one(self, word):
        (line,) = self.lines[word]
        return line

    def passes(self):
        return {line["name"]: line["result"] for line in self.lines.get("pass", [])}

    def present(self):
        return self.one("capabilities")["present"].split(",")


class ProofCase(unittest.TestCase):
    def check_proved(self, report, extension, passes):
        """passes: those that ran; the others are absent."""
        self.assertEqual(report.end["code"], "proved", report.serial)
        self.assertEqual(report.one("cpu")["extension"], extension)
        names = ["shadow", "nested-paging", "real-mode"]
        expected = {name: "ok" if name in passes else "absent" for name in names}
        self.assertEqual(report.passes(), expected)
        for line in report.lines["pass"]:
            if line["result"] == "ok":
                self.assertEqual(int(line["answer"], 16), answer(SEED))
        self.check_exits(report, [name for name in passes if name != "real-mode"])
        self.assertGreater(int(report.one("clock")["tsc-khz"]), 1000)

    def check_exits(self, report, passes):
        measured = [(line["pass"], line["kind"]) for line in report.lines["exit"]]
        expected = [(name, kind) for name in passes for kind in KINDS]
        if "nested-paging" in passes:
            expected.append(("nested-paging", "nested-fault"))
        self.assertEqual(measured, expected)
        for line in report.lines["exit"]:
            self.assertEqual(int(line["count"]), 64)
            self.assertGreater(int(line["min"]), 0)
            self.assertLessEqual(int(line["min"]), int(line["median"]))

    def check_failed(self, report, code, **more):
        self.assertEqual(report.end["code"], code, report.serial)
        self.assertNotIn("exit", report.lines)
        for key, value in more.items():
            self.assertEqual(report.end[key], value, report.serial)


def words(try_word=None):
    """What is to be late is waited for shortly; all else has its time, whoever computes beside it."""
    soon = " ticks=2" if try_word == "spin" else ""
    return f"seed={SEED:x}" + soon + (f" try={try_word}" if try_word else "")


@unittest.skipUnless(shutil.which(machines.QEMU), machines.QEMU + " is not installed")
class TestQemu(ProofCase):
    def run_on(self, *arguments, try_word=None):
        serial, status = machines.qemu(*arguments, words=words(try_word))
        self.assertEqual(status, 0)
        return Report(serial)

    def test_amd_v(self):
        for machine in ["q35", "pc"]:
            with self.subTest(machine=machine):
                report = self.run_on("-machine", machine, "-cpu", "max")
                self.check_proved(report, "svm", ["shadow", "nested-paging", "real-mode"])
                self.assertEqual(report.one("cpu")["hypervisor"], "TCGTCGTCGTCG")
                self.assertEqual(report.one("lock")["locked"], "0")
                self.assertIn("npt", report.present())
                self.assertRegex(report.one("capabilities")["absent"], r"\bavic\b")

    def test_without_nested_paging(self):
        report = self.run_on("-cpu", "max,npt=off")
        self.check_proved(report, "svm", ["shadow"])
        self.assertNotIn("npt", report.present())

    def test_not_supported(self):
        for cpu in ["max,-svm", "qemu64,-svm", "Haswell,-vmx"]:
            with self.subTest(cpu=cpu):
                self.check_failed(self.run_on("-cpu", cpu), "not-supported")

    def test_no_long_mode(self):
        serial, status = machines.qemu("-cpu", "qemu32")
        self.assertEqual(status, 0)
        self.check_failed(Report(serial), "no-long-mode")

    def test_failures_shown_on_purpose(self):
        for try_word, code, more in [
            ("spin", "timeout", {"pass": "shadow"}),
            ("wrong", "wrong-answer", {"pass": "shadow"}),
            ("crash", "wrong-exit", {"pass": "shadow", "reason": "0x7f"}),
            ("state", "entry-failed", {"pass": "shadow", "reason": "0xffffffff"}),
            ("fault", "fault", {"vector": "6"}),
        ]:
            with self.subTest(try_word=try_word):
                report = self.run_on("-cpu", "max", try_word=try_word)
                self.check_failed(report, code, **more)

    def test_firmware_that_does_less(self):
        """nestd takes it where it is installed. It leaves the local APIC closed to the timer."""
        if not pathlib.Path("/usr/share/qemu/qboot.rom").exists():
            self.skipTest("qboot is not installed")
        for machine in ["q35", "pc"]:
            with self.subTest(machine=machine):
                arguments = ["-machine", machine, "-cpu", "max", "-bios", "qboot.rom"]
                report = self.run_on(*arguments)
                self.check_proved(report, "svm", ["shadow", "nested-paging", "real-mode"])
                report = self.run_on(*arguments, try_word="spin")
                self.check_failed(report, "timeout", **{"pass": "shadow"})

    def test_ends_without_acpi(self):
        """By a reset, then."""
        report = self.run_on("-machine", "pc,acpi=off", "-cpu", "max,-svm")
        self.check_failed(report, "not-supported")

    def test_ends_by_debug_device(self):
        serial, status = machines.qemu("-cpu", "max,-svm", "-device", "isa-debug-exit,iobase=0xf4")
        self.assertEqual(status, 33)
        self.check_failed(Report(serial), "not-supported")

    def test_words_that_make_no_sense(self):
        for line in ["seed=0", "seed=xyz", "ticks=0 try=", "try=nothing seed", "x" * 2000]:
            with self.subTest(line=line[:20]):
                serial, status = machines.qemu("-cpu", "max", words=line)
                self.assertEqual(status, 0)
                report = Report(serial)
                self.assertEqual(report.end["code"], "proved")
                self.assertTrue(re.fullmatch("0x[0-9a-f]+", report.one("begin")["seed"]))
                self.assertNotEqual(report.one("begin")["seed"], "0x0")


@unittest.skipIf(emulator.missing(), emulator.missing())
class TestBochs(ProofCase):
    def run_on(self, model, try_word=None, **more):
        return Report(machines.bochs(model, words(try_word), **more))

    def test_vt_x(self):
        for model, passes in [
            ("corei7_haswell_4770", ["shadow", "nested-paging", "real-mode"]),
            ("corei5_lynnfield_750", ["shadow", "nested-paging"]),
            ("core2_penryn_t9600", ["shadow"]),
        ]:
            with self.subTest(model=model):
                report = self.run_on(model)
                self.check_proved(report, "vmx", passes)
                self.assertEqual(report.one("cpu")["vendor"], "GenuineIntel")
                present = report.present()
                self.assertEqual("ept" in present, "nested-paging" in passes)
                self.assertEqual("unrestricted-guest" in present, "real-mode" in passes)

    def test_vt_x_left_open_by_firmware(self):
        for feature_control in [0, 4]:
            with self.subTest(feature_control=feature_control):
                report = self.run_on("corei7_haswell_4770", feature_control=feature_control)
                self.assertEqual(report.end["code"], "proved", report.serial)

    def test_vt_x_locked_by_firmware(self):
        report = self.run_on("corei7_haswell_4770", feature_control=1)
        self.check_failed(report, "locked")
        self.assertEqual(report.one("lock"), {"register": "0x3a", "value": "0x1", "locked": "1"})
        self.assertIn("ept", report.present())

    def test_not_supported(self):
        report = self.run_on("p4_prescott_celeron_336", feature_control=0)
        self.check_failed(report, "not-supported")

    def test_failures_shown_on_purpose(self):
        for try_word, code, more in [
            ("spin", "timeout", {"pass": "shadow"}),
            ("wrong", "wrong-answer", {"pass": "shadow"}),
            ("crash", "wrong-exit", {"pass": "shadow", "reason": "0x2"}),
            ("state", "entry-failed", {"pass": "shadow", "reason": "0x80000021"}),
            ("fail", "vm-fail", {"pass": "shadow", "name": "vmresume", "error": "5"}),
            ("write", "vm-fail", {"pass": "shadow", "name": "vmwrite", "field": "0x4bfe",
                                  "error": "12"}),
            ("fault", "fault", {"vector": "6"}),
        ]:
            with self.subTest(try_word=try_word):
                report = self.run_on("corei7_haswell_4770", try_word)
                self.check_failed(report, code, **more)

    def test_amd_v(self):
        report = self.run_on("trinity_apu", feature_control=0)
        self.check_proved(report, "svm", ["shadow", "nested-paging", "real-mode"])
        self.assertIn("nrip-save", report.present())


if __name__ == "__main__":
    unittest.main(verbosity=2)
