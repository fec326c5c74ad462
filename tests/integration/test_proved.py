# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestctl prove with the real libvirt and QEMU: inner code really runs, or the VM has a bad day."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import nestd
from fake import eventually

GROWTH_KIB = 32 * 1024  # also of what a sanitizer holds back
POOLED = 8  # threads that come when they are needed, and stay


class Proved(unittest.TestCase):
    def test_software_cpu(self):
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            command = [nestd.NESTCTL, "--socket", daemon.socket, "prove", "--accel", "tcg"]
            run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            self.assertIn("YES   AMD-V", run.stdout)
            for kind in ("cpuid", "io", "hlt", "page-fault", "nested-fault"):
                self.assertRegex(run.stdout, rf"nested-paging +{kind} +[1-9][0-9]* ")
            run = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60,
                                 check=False)
            proof = json.loads(run.stdout)
            self.assertTrue(proof["proved"])
            self.assertIn("npt", proof["capabilities"])
            self.assertEqual(daemon.get("/v1/host/proof")["proofs"], [proof])
            self.assertEqual(daemon.get("/v1/vms"), {"vms": []})

    def test_cpu_of_a_vm(self):
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            for name, nested, code in (("with", True, "proved"), ("bare", False, "not-supported")):
                spec = {"name": name, "memory_kib": 65536, "accel": "tcg", "nested": nested,
                        "network": "none"}
                answer = daemon.request("POST", "/v1/vms", spec)
                daemon.wait_operation(answer.json["id"])
                command = [nestd.NESTCTL, "--socket", daemon.socket, "--json", "prove", name]
                run = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                     check=False)
                proof = json.loads(run.stdout)
                self.assertEqual(proof["code"], code, proof)
                self.assertEqual(run.returncode, 0 if nested else 1, run.stderr)
                self.assertEqual(daemon.get(f"/v1/vms/{name}/proof")["proofs"], [proof])
                self.assertEqual(daemon.get(f"/v1/vms/{name}")["state"], "off")

    def test_killed_in_the_middle(self):
        """No VM is left behind once nestd is open again."""
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            connection = nestd.Connection(daemon.socket, nestd.REPLY_DEADLINE)
            connection.request("POST", "/v1/host/proof", b'{"accel": "tcg"}',
                               {"Content-Type": "application/json"})
            eventually(daemon.qemu_pids)
            daemon.kill()
            connection.close()
            daemon.start()
            self.assertEqual(daemon.wait_backend(60), "open")
            self.assertEqual(daemon.qemu_pids(), [])
            self.assertEqual(daemon.boot_files(), [])
            proof = daemon.request("POST", "/v1/host/proof", {"accel": "tcg"}).json
            self.assertTrue(proof["proved"], proof)

    def test_twenty_at_once(self):
        with nestd.Daemon() as daemon:
            daemon.wait_backend(60)
            connections = [nestd.Connection(daemon.socket, nestd.OPERATION_DEADLINE)
                           for _ in range(20)]
            for connection in connections:
                connection.request("POST", "/v1/host/proof", b'{"accel": "tcg"}',
                                   {"Content-Type": "application/json"})
            most = 0
            for connection in connections:
                self.assertTrue(nestd.Answer(connection.getresponse()).json["proved"])
                most = max(most, len(daemon.qemu_pids()))
                connection.close()
            self.assertLessEqual(most, 2)
            self.assertLessEqual(len(daemon.get("/v1/host/proof?history=1")["proofs"]), 3)


# libvirt finds it before the real one, which it runs, with another image in place of nestd's; or it
# does nothing for ever.
QEMU = """#!/bin/sh
tools=${{0%/*}}
for word; do
    shift
    if [ "$before" = -kernel ] && [ -e "$tools/never" ]; then
        echo $$ >"$tools/pid"
        read -r word <"$tools/never"
    fi
    [ "$before" != -kernel ] || [ ! -e "$tools/image" ] || word=$tools/image
    set -- "$@" "$word"
    before=$word
done
exec {qemu} "$@"
"""


class BadDays(unittest.TestCase):
    """The proof VM boots what is no proof program: tests/proof/bad.S."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = nestd.Daemon()
        cls.tools = cls.daemon.directory / "tools"
        cls.tools.mkdir()
        qemu = cls.tools / "qemu-system-x86_64"
        qemu.write_text(QEMU.format(qemu=shutil.which(qemu.name)), encoding="utf-8")
        qemu.chmod(0o755)
        cls.daemon.environment["PATH"] = f"{cls.tools}:{os.environ['PATH']}"
        cls.enterClassContext(cls.daemon)
        cls.daemon.wait_backend(60)

    @contextlib.contextmanager
    def booting(self, name):
        """In the end nothing is left of what is proved meanwhile."""
        image = self.tools / "image"
        before = len(self.threads())
        shutil.copy(nestd.BUILD / "tests" / "proof" / f"bad-{name}.bin", image)
        try:
            yield
        finally:
            image.unlink()
        eventually(lambda: not self.daemon.qemu_pids())
        eventually(lambda: not self.daemon.boot_files())
        eventually(lambda: "boot-end" not in self.threads())
        self.assertLessEqual(len(self.threads()), before + POOLED)
        self.assertEqual(self.daemon.get("/v1/vms"), {"vms": []})

    def threads(self):
        names = []
        for path in pathlib.Path(f"/proc/{self.daemon.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                names.append((path / "comm").read_text(encoding="utf-8").strip())
        return names

    def peak_kib(self):
        text = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text(encoding="utf-8")
        return int(text.split("VmHWM:")[1].split()[0])

    def prove(self, status=1):
        run = self.daemon.nestctl("--json", "prove", "--accel", "tcg")
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return json.loads(run.stdout)

    def not_proved(self, name, code, says):
        with self.booting(name):
            proof = self.prove()
            self.assertEqual((proof["proved"], proof["code"]), (False, code), proof)
            self.assertIn(says, proof["message"])
            self.assertEqual(self.daemon.get("/v1/host/proof")["proofs"], [proof])
            self.assertIn("(TCG): NO", self.daemon.nestctl("status").stdout)

    def test_triple_fault(self):
        self.not_proved("triple", "incomplete", "it said nothing)")

    def test_half_a_report(self):
        """And nothing of it is held against the next proof."""
        self.not_proved("half", "incomplete", "its report breaks off)")
        self.assertTrue(self.prove(0)["proved"])

    def test_silence(self):
        """It is waited for as long as a proof may take, and then powered off."""
        self.not_proved("silent", "incomplete", "it said nothing) within 20 s")

    def test_a_qemu_that_hangs(self):
        """Before its monitor answers: it is ended, and proofs go on."""
        never, pid = self.tools / "never", self.tools / "pid"
        os.mkfifo(never)
        try:
            run = self.daemon.nestctl("prove", "--accel", "tcg")
        finally:
            never.unlink()
        self.assertNotEqual(run.returncode, 0, run.stdout)
        self.assertIn("its QEMU did not answer within 20 seconds", run.stderr)
        hung = pathlib.Path("/proc", pid.read_text(encoding="utf-8").strip())
        eventually(lambda: not hung.exists())
        eventually(lambda: not self.daemon.boot_files())
        self.assertTrue(self.prove(0)["proved"])

    def test_a_lie_and_no_end(self):
        """A success that nothing bears out, of a VM that does not turn itself off behind it."""
        self.not_proved("lie", "contradiction", "does not bear out")

    def test_a_serial_port_that_spews(self):
        """It is powered off at once, not waited for, and its flood stays out of memory."""
        with self.booting("spew"):
            self.prove()
            before = self.peak_kib()
            for _ in range(2):
                proof = self.prove()
                self.assertEqual((proof["code"], self.daemon.qemu_pids()), ("incomplete", []))
                self.assertIn("it said too much)", proof["message"])
            self.assertLess(self.peak_kib(), before + GROWTH_KIB)


if __name__ == "__main__":
    nestd.main()
