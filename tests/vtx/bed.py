# SPDX-License-Identifier: LGPL-2.1-or-later
"""An emulated machine that is a host of VMs: it boots a Debian kernel and runs a scenario, a shell
script of host/scenarios. Its steps come back as what they printed and their exit status.

    class TestSomething(bed.Case):
        scenario = "something"

        def test_it(self):
            self.assertTrue(self.done("prove").json["proved"])

    if __name__ == "__main__":
        bed.main()
"""

import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "proof"), str(TESTS / "guest")]
import emulator  # noqa: E402

import image  # noqa: E402

INTEL = "corei7_haswell_4770"
AMD = "trinity_apu"
NO_EXTENSION = "p4_prescott_celeron_336"
# Emulation takes what it takes, the more where others compute as well: only what hangs comes so far.
DEADLINE = int(os.environ.get("NEST_VTX_DEADLINE", "3000"))
BIOS = pathlib.Path("/usr/share/bochs/BIOS-bochs-latest")
VGA_BIOS = pathlib.Path("/usr/share/bochs/VGABIOS-lgpl-latest")
# rdmsr; or eax, 5; wrmsr: what this BIOS does to IA32_FEATURE_CONTROL. With 1 it locks VMX away.
FEATURE_CONTROL = bytes.fromhex("b93a0000000f3283c8050f30")
LOCKS_VMX = FEATURE_CONTROL.replace(b"\xc8\x05", b"\xc8\x01")
FAILED = 1  # nestctl's exit status: a check did
GUARDED = 7  # nestctl's exit status: refused in this state
OVER = b"vtx: over"

BOCHSRC = """
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, parallel=0, gameport=0, iodebug=0
cpu: model={model}, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=1536, host=1536
romimage: file={directory}/bios, options=fastboot
vgaromimage: file={vga_bios}
vga: extension=vbe, update_freq=1, realtime=0
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={directory}/cd.iso, status=inserted
ata0-slave: type=disk, path={disk}, mode=volatile, journal={directory}/redolog
boot: cdrom
"""


class Step:
    """What one command of a scenario came to."""

    def __init__(self, name, text, status):
        self.name = name
        self.text = text
        self.status = status

    def __repr__(self):
        return f"<{self.name}: {self.status}\n{self.text}>"

    @property
    def json(self):
        return json.loads(self.text)


class Log:
    """All steps of a boot."""

    def __init__(self, serial):
        self.serial = serial
        found = re.findall(r"^vtx: begin (\S+)\n(.*?)^vtx: end (\d+)$", serial, re.M | re.S)
        self.steps = {name: Step(name, text, int(status)) for name, text, status in found}

    def step(self, name):
        if name not in self.steps:
            raise AssertionError(f"there is no step {name} in\n{self.serial}")
        return self.steps[name]


def the_image():
    """The same for all boots of this process."""
    if not hasattr(the_image, "made"):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="nv."))
        atexit.register(shutil.rmtree, directory)
        the_image.made = image.Image(directory)
    return the_image.made


def run(name, scenario, model, locked):
    """Boots, runs the scenario and gives its Log. locked: by a firmware that takes VMX away."""
    made = the_image()
    progress = Progress(name)
    with tempfile.TemporaryDirectory(prefix="nb.") as place:
        directory = pathlib.Path(place)
        made.make_cd(directory / "cd.iso", f"vtx.scenario={scenario}")
        (directory / "bios").write_bytes(firmware(locked))
        configuration = BOCHSRC.format(model=model, directory=directory, disk=made.disk,
                                       vga_bios=VGA_BIOS)
        try:
            serial = emulator.run(directory, configuration, progress.show, DEADLINE)
        finally:
            progress.keep()
    assert OVER.decode() in serial, f"the scenario broke off:\n{serial}"
    return Log(serial.replace("\r", ""))


def firmware(locked):
    bios = BIOS.read_bytes()
    assert bios.count(FEATURE_CONTROL) == 1, f"{BIOS} is not the one that is known"
    return bios.replace(FEATURE_CONTROL, LOCKS_VMX) if locked else bios


class Progress:
    """Says which step has begun, for it takes minutes, and keeps what was said for whoever wonders
    afterwards."""

    def __init__(self, name):
        self.name = name
        self.serial = b""
        self.shown = 0
        self.started = time.monotonic()

    def show(self, serial):
        """Whether it is over. A kernel that panics would boot again."""
        self.serial = serial
        begun = re.findall(rb"^vtx: begin (\S+)\r?\n", serial, re.M)
        for step in begun[self.shown :]:
            seconds = time.monotonic() - self.started
            print(f"{seconds:6.0f} s  {self.name}: {step.decode()}", file=sys.stderr, flush=True)
        self.shown = len(begun)
        return OVER in serial or b"Kernel panic" in serial

    def keep(self):
        directory = image.BUILD / "vtx"
        directory.mkdir(exist_ok=True)
        (directory / f"{self.name}.log").write_bytes(self.serial)


class Case(unittest.TestCase):
    """The tests of one scenario, which is run once for all of them."""

    scenario = None
    model = INTEL
    locked = False

    @classmethod
    def setUpClass(cls):
        cls.log = run(cls.__name__, cls.scenario, cls.model, cls.locked)

    def done(self, name):
        """The step, which must have succeeded."""
        return self.ended(name, 0)

    def ended(self, name, status, *says):
        """The step, which must have ended so and said that."""
        step = self.log.step(name)
        self.assertEqual(step.status, status, step)
        for words in says:
            self.assertIn(words, step.text)
        return step

    def says(self, name, *lines):
        """Lines that the guest must have said, or at least begun so."""
        said = self.done(f"says-{name}").text.splitlines()
        for line in lines:
            begun = [one for one in said if one.startswith(f"nest-guest: {line}")]
            self.assertTrue(begun, f"no {line} in {said}")

    def check_reached(self, name, activity):
        self.done(f"reach-{name}")
        self.assertEqual(self.done(f"show-{name}").json["activity"], activity)

    def check_proved(self, proof, extension):
        """By KVM, on the real thing: all that the emulated CPU offers."""
        self.assertTrue(proof["proved"], proof)
        told = (proof["accel"], proof["extension"], proof["hypervisor"])
        self.assertEqual(told, ("kvm", extension, "KVMKVMKVM"))
        passes = {one["name"]: one["result"] for one in proof["passes"]}
        self.assertEqual(passes, {"shadow": "ok", "nested-paging": "ok", "real-mode": "ok"})
        self.assertEqual(len(proof["exits"]), 9)
        for one in proof["exits"]:
            self.assertGreater(one["median_cycles"], 0)

    def check_calm(self):
        self.assertNotRegex(self.log.step("log").text, "CRITICAL|core dumped")


def main():
    lacking = emulator.missing() or image.missing()
    if lacking:
        print(lacking)
        sys.exit(77)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    unittest.main(verbosity=2)
