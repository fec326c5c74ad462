# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt's parser beside nestd: what it refuses, what its process may, and what becomes of a plan
when it crashes, hangs, talks nonsense or is not there."""

import contextlib
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

import nestd
from fake import Fake, eventually
from test_plan import PLAIN

DATA = nestd.SOURCE / "tests" / "data" / "domains"
DOUBT = "libvirt's parser was not asked about a definition"
NOBODY = 65534
DISK = "<disk type='block'><source dev='/x'/><target dev='%s'/></disk>"
SAME_STICK = ("<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x2'/>"
              "</source></hostdev>")
TWO_BRIDGES = "<controller type='pci' index='1' model='pcie-root-port'/>" * 2


def with_devices(devices):
    return PLAIN.replace("<devices>", "<devices>" + devices)


def judge(text, **more):
    """The answer of the program, in words."""
    ended = subprocess.run([nestd.JUDGE], input=text, capture_output=True, env={},
                           timeout=nestd.REPLY_DEADLINE, check=False, **more)
    return ended.returncode, ended.stdout


class TestProcess(unittest.TestCase):
    """What it has given up before it reads."""

    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([nestd.JUDGE], stdin=subprocess.PIPE, env={},
                                       stdout=subprocess.PIPE)
        cls.addClassCleanup(cls.end)
        cls.place = pathlib.Path("/proc", str(cls.process.pid))
        eventually(lambda: cls.status()["Seccomp"] == "2" and cls.status()["State"][0] == "S")

    @classmethod
    def end(cls):
        cls.process.kill()
        cls.process.communicate(timeout=nestd.REPLY_DEADLINE)

    @classmethod
    def status(cls):
        lines = (cls.place / "status").read_text().splitlines()
        return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}

    def limits(self):
        found = re.findall(r"(?m)^(Max .*?)  +(\S+) +(\S+)", (self.place / "limits").read_text())
        return {name: values for name, *values in found}

    def test_identity(self):
        status = self.status()
        number = NOBODY if os.getuid() == 0 else os.getuid()
        self.assertEqual(set(status["Uid"].split()), {str(number)})
        self.assertEqual(status["NoNewPrivs"], "1")
        if os.getuid() == 0:
            self.assertEqual((set(status["Gid"].split()), status["Groups"]), ({str(NOBODY)}, ""))
        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)

    def test_bounds(self):
        limits = self.limits()
        for name in ("Max open files", "Max processes", "Max core file size"):
            self.assertEqual(limits[name], ["0", "0"], name)
        for name in ("Max cpu time", "Max file size"):
            self.assertLess(int(limits[name][1]), 10000)
        self.assertIn(limits["Max address space"], ([str(512 << 20)] * 2, ["unlimited"] * 2))

    @unittest.skipUnless(os.getuid() == 0, "needs root: the process can't be looked into")
    def test_nothing_is_open(self):
        targets = {os.readlink(entry) for entry in (self.place / "fd").iterdir()}
        self.assertFalse([name for name in targets if name.startswith("socket:")], targets)
        numbers = {int(entry.name) for entry in (self.place / "fd").iterdir()}
        self.assertLessEqual(numbers - {0, 1, 2}, {3}, targets)  # 3: libvirt's log, /dev/null
        self.assertEqual((self.place / "environ").read_bytes(), b"")
        self.assertEqual(os.getsid(self.process.pid), self.process.pid)

    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_root_that_stays_root(self):
        """Where it can't give up what it has it does not read."""
        ended = subprocess.run(["setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-all",
                                nestd.JUDGE], input=b"<domain/>", capture_output=True, env={
                                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                               timeout=nestd.REPLY_DEADLINE, check=False)
        self.assertEqual(ended.stdout, b"judge-1 broken it stays root\n", ended)


class TestAnswers(unittest.TestCase):
    def test_one_line_whatever_comes(self):
        """Mutations of real definitions: an answer by the protocol, or a crash, never anything else."""
        texts = [file.read_bytes() for file in sorted(DATA.glob("*.xml"))]
        texts = [re.sub(rb"type=(['\"])(kvm|qemu)\1", b"type='test'", text, count=1)
                 for text in texts]
        chance = random.Random(7)
        seen = set()
        for number in range(120):
            text = bytearray(chance.choice(texts))
            for _ in range(chance.randrange(4)):
                start = chance.randrange(len(text))
                end = min(len(text), start + chance.randrange(1, 40))
                other = chance.choice(texts)
                text[start:end] = chance.choice((b"", other[start:end] * 2, b"-1", b"99999999999999",
                                                 bytes([chance.randrange(256)])))
            status, said = judge(bytes(text))
            with self.subTest(number=number):
                self.assertTrue(status != 0 or re.fullmatch(
                    rb"judge-1 (good|refused|unknown) [^\n]{0,2040}\n", said), (status, said, text))
                seen.add(said.split()[1] if said else status)
        self.assertLessEqual({b"good", b"refused"}, seen)

    def test_too_much(self):
        for text in (b"", b" " * (17 << 20), b"\0" * 100, b"<!DOCTYPE a [<!ENTITY b SYSTEM "
                     b"'file:///etc/passwd'>]><domain type='test'>&b;</domain>"):
            status, said = judge(text)
            self.assertNotIn(b"root:", said)
            self.assertRegex(said, rb"^judge-1 (broken|refused|unknown) [^\n]+\n$", status)


class TestPlan(unittest.TestCase):
    """By way of nestd."""

    def ask(self, daemon, xml):
        return daemon.request("POST", "/v1/plan", {"xml": xml, "enabled": True})

    def test_only_the_parser_sees(self):
        with Fake() as daemon:
            for devices, words in ((TWO_BRIDGES, "Multiple 'pci' controllers with index '1'"),
                                   (SAME_STICK * 2, "Hostdev already exists")):
                answer = self.ask(daemon, with_devices(devices))
                self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"))
                self.assertIn("libvirt would refuse this definition: " + words,
                              answer.json["detail"])
                self.assertIn("formatdomain", answer.json["next"])
            self.assertEqual(self.ask(daemon, with_devices(DISK % "vda")).status, 200)
            self.assertNotIn(DOUBT, daemon.log())

    @contextlib.contextmanager
    def with_program(self, script):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "judge")
            if script is not None:
                program.write_text(f"#!/bin/sh\n{script}\n")
                program.chmod(0o755)
            with Fake(environment={"NESTD_JUDGE": str(program)}) as daemon:
                yield daemon

    def test_without_its_word(self):
        """The plan goes on with what the schema says, and the log tells."""
        for script, words in ((None, "No such file"), ("kill -SEGV $$", "signal 11"),
                              ("echo judge-1 perhaps", "its answer is none"),
                              ("exec sleep 600", "longer than 5000 ms")):
            with self.subTest(script=script), self.with_program(script) as daemon:
                answer = self.ask(daemon, with_devices(TWO_BRIDGES))
                self.assertEqual((answer.status, answer.json["verdict"]), (200, "steps"), answer)
                eventually(lambda: words in daemon.log())
                self.assertIn(DOUBT, daemon.log())
                twice = self.ask(daemon, with_devices(DISK % "vda" * 2))
                self.assertEqual((twice.status, twice.json["kind"]), (400, "invalid-request"))
                self.assertIn("another device has it too", twice.json["detail"])
                self.assertEqual(children(daemon.pid), set())


def children(pid):
    found = set()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
            found |= set((task / "children").read_text().split())
    return found


if __name__ == "__main__":
    nestd.main()
