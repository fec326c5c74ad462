# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hook that libvirt calls, with libvirt's arguments, over the fake hypervisor."""

import os
import re
import signal
import subprocess
import unittest
import uuid

import nestd
from fake import XML, Fake, eventually

HOOK = nestd.SOURCE / "packaging/hooks/nestd"
PLAIN = XML.format(name="plain", uuid=uuid.uuid4())
NESTING = re.sub("1048576", "2097152", re.sub(
    "check=.none.", "check='full'", XML.replace("disable", "require")))
DEADLINE = 20


def run(socket, name, operation, phase, text, path=None):
    """As libvirt does: an empty environment but for PATH."""
    environment = {"PATH": path or f"{nestd.NESTCTL.parent}:{os.environ['PATH']}",
                   "NESTD_SOCKET": str(socket)}
    return subprocess.run([HOOK, name, operation, phase, "-"], input=text.encode(),
                          capture_output=True, env=environment, timeout=DEADLINE, check=False)


class TestHook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def run_hook(self, operation, text, phase="begin"):
        done = run(self.daemon.socket, "demo", operation, phase, text)
        self.assertEqual(done.stdout, b"", "libvirt would take it for a definition")
        return done

    def passed(self, operation, text, phase="begin"):
        done = self.run_hook(operation, text, phase)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)

    def refused(self, operation, text, says):
        done = self.run_hook(operation, text)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(says, done.stderr.decode())

    def test_plain(self):
        for operation in ("restore", "migrate"):
            self.passed(operation, PLAIN)

    def test_nesting(self):
        text = NESTING.format(name="brought", uuid=uuid.uuid4())
        self.refused("restore", text, "brought can't be resumed from its saved state: it may have "
                                      "been inside an inner VM")
        self.refused("restore", text, "define it, and let it boot")
        self.refused("migrate", text, "it may host other VMs: the state of the VMs inside would be lost")

    def test_everything_else(self):
        """Also where nobody listens."""
        for operation in ("prepare", "start", "started", "stopped", "release", "reconnect",
                          "attach"):
            self.passed(operation, NESTING)
        for operation in ("restore", "migrate"):
            self.passed(operation, NESTING, "end")

    def test_known(self):
        """What nestd knows of the VM counts."""
        number = self.daemon.define("known")
        text = NESTING.format(name="known", uuid=number)
        self.refused("restore", text, "is set up without it now")
        self.refused("restore", text, "nestctl start known")

    def test_comes_back(self):
        """What it did here before it went away tells nothing of what it did there."""
        self.daemon.host.control("set:sample@nomad:counted")
        self.addCleanup(self.daemon.host.control)
        number = self.daemon.define("nomad", NESTING, state="running")
        # After a look that took long nestd rests for up to 30 s.
        eventually(lambda: self.daemon.get("/v1/vms/nomad")["activity"] == "exposed",
                   nestd.OPERATION_DEADLINE)
        self.refused("migrate", NESTING.format(name="nomad", uuid=number), "may host other VMs")

    def test_saved_by_nestd(self):
        """What nestd saved, and knows to be safe, virsh may start; and what else is there not."""
        number = self.daemon.define("kept", NESTING, state="running")
        text = NESTING.format(name="kept", uuid=number)
        self.daemon.host.control("set:sample@kept:counted")
        self.addCleanup(self.daemon.host.control)
        saved = self.daemon.change("PUT", "/v1/vms/kept/state", {"state": "saved"})
        self.assertEqual(saved["state"], "done", saved)
        self.passed("restore", text)
        self.daemon.host.change("kept", saved_time=9)
        eventually(lambda: self.run_hook("restore", text).returncode == 1)
        self.refused("restore", text, "nestctl start --discard-saved-state kept")

    def test_own_operation(self):
        number = self.daemon.define("own", NESTING)
        text = NESTING.format(name="own", uuid=number)
        with self.daemon.holding("start", number) as held:
            answer = self.daemon.request("PUT", "/v1/vms/own/state", {"state": "running"})
            self.assertEqual(answer.status, 202, answer)
            held()
            self.passed("restore", text)
        self.daemon.wait_operation(answer.json["id"])
        self.refused("restore", text, "own can't be")

    def test_hypervisor_holds_the_vm(self):
        """libvirt waits for the hook, and who asks libvirt for the VM waits for that."""
        number = self.daemon.define("locked", NESTING)
        with self.daemon.holding("read", number) as held:
            self.daemon.host.start("locked")
            held()
            self.refused("restore", NESTING.format(name="locked", uuid=number), "locked can't be")

    def test_what_can_not_be_judged(self):
        self.refused("restore", "junk", "not")
        self.refused("migrate", "", "")
        for name in ("uuid", "name"):
            self.refused("restore", re.sub(f"<{name}>.*?</{name}>", "", PLAIN), f"no <{name}>")
        filler = "<!--%s-->" % ("x" * (5 * 1024 * 1024 - len(PLAIN) - 7))
        self.passed("restore", PLAIN + filler)
        self.refused("restore", PLAIN + filler + "x", "5 MiB")

    def test_api(self):
        body = {"operation": "migrate-in", "xml": PLAIN}
        answer = self.daemon.request("POST", "/v1/guard", body)
        self.assertEqual((answer.status, answer.json), (200, {
            "id": "migrate-in", "say": "ok", "reason": None, "next": None}))
        for wrong in ({"operation": "save"}, {"xml": 1}, {"xml": None}, {"force": True}):
            answer = self.daemon.request("POST", "/v1/guard", body | wrong)
            self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"))

    def test_command(self):
        done = self.daemon.nestctl("guard", "save", "--xml", "/dev/null")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn('no operation "save"', done.stderr)
        done = self.daemon.nestctl("guard", "restore")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("--xml", done.stderr)


class TestAlone(unittest.TestCase):
    """Without nestd, VMs are not kept down."""

    TEXT = NESTING.format(name="lone", uuid=uuid.uuid4())

    def passed(self, done, says):
        self.assertEqual((done.returncode, done.stdout), (0, b""), done)
        self.assertIn(says, done.stderr.decode())

    def test_nobody_answers(self):
        self.passed(run("/nowhere", "lone", "restore", "begin", self.TEXT),
                    "nestd did not judge restore of lone, which is let pass (status 19)")

    def test_hypervisor_is_not_open(self):
        one = Fake()
        one.host.control("open:*:BACKEND_UNAVAILABLE:not today")
        with one:
            self.passed(run(one.socket, "lone", "migrate", "begin", self.TEXT), "(status 11)")

    def test_nestd_hangs(self):
        with Fake() as one:
            one.process.send_signal(signal.SIGSTOP)
            try:
                self.passed(run(one.socket, "lone", "restore", "begin", self.TEXT),
                            "(status 124)")
            finally:
                one.process.send_signal(signal.SIGCONT)

    def test_package_removed(self):
        done = run("/nowhere", "lone", "restore", "begin", self.TEXT, path="/nowhere")
        self.passed(done, "")
        self.assertEqual(done.stderr, b"")


if __name__ == "__main__":
    nestd.main()
