# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nestd saved is resumed where it runs on, and refused, forced or given up where it does not."""

import contextlib
import http.client
import unittest

import nestd
from fake import XML, Fake, eventually

NESTING = (XML.replace("disable", "require").replace("check='none'", "check='full'")
           .replace("1048576<", "2097152<").replace("memballoon model='virtio'",
                                                    "memballoon model='none'"))
OLDER = "can't be resumed from its saved state: kernel or QEMU are older now"
UNKNOWN = "it is not known on which kernel and QEMU that was"
REASON = {"force": True, "reason": "it ran here before"}


class TestSaved(unittest.TestCase):
    def state(self, daemon, name, state, **more):
        operation = daemon.change("PUT", f"/v1/vms/{name}/state", {"state": state, **more})
        self.assertEqual(operation["state"], "done", operation)
        return operation

    def saved(self, daemon, *names):
        for name in names:
            daemon.define(name, state="running")
            self.state(daemon, name, "saved")

    def older(self, daemon):
        """QEMU is older than it was."""
        daemon.environment["NEST_FAKE_CAPS"] = "qemu=6.2.0"
        daemon.restart()
        daemon.wait_backend()

    def refused(self, daemon, name, says, status=409, **body):
        before = daemon.host.vm(name)
        answer = daemon.request("PUT", f"/v1/vms/{name}/state", {"state": "running", **body})
        self.assertEqual(answer.status, status, answer)
        self.assertIn(says, answer.json["detail"])
        self.assertEqual(daemon.host.vm(name), before)
        return answer.json

    def test_resumed_where_it_was_saved(self):
        with Fake() as daemon:
            self.saved(daemon, "same")
            daemon.restart()
            daemon.wait_backend()
            self.assertIsNone(self.state(daemon, "same", "running", restore=True)["note"])
            self.assertEqual(daemon.host.vm("same")["state"], "running")
            self.refused(daemon, "same", "has no saved state to resume from", restore=True)

    def test_by_a_newer_qemu(self):
        with Fake() as daemon:
            self.saved(daemon, "forced", "given-up")
            self.older(daemon)
            told = self.refused(daemon, "forced", OLDER)
            self.assertEqual(told["next"], "nestctl start --discard-saved-state forced")
            self.refused(daemon, "forced", OLDER, restore=True)
            start, = [action for action in daemon.get("/v1/vms/forced")["actions"]
                      if action["id"] == "start"]
            self.assertEqual((start["say"], start["next"]), ("refuse", told["next"]))
            done = self.state(daemon, "forced", "running", **REASON)
            self.assertIn("guard.restore was overridden", done["note"])
            # Saved here, it is resumed here.
            self.state(daemon, "forced", "saved")
            self.assertIsNone(self.state(daemon, "forced", "running")["note"])
            done = self.state(daemon, "given-up", "running", discard_saved_state=True)
            self.assertEqual([step["id"] for step in done["steps"]], ["saved-state", "start"])
            calls = [call[0] for call in daemon.host.calls()]
            self.assertLess(calls.index("drop_saved_state"), len(calls) - calls[::-1].index("start"))
            vm = daemon.host.vm("given-up")
            self.assertEqual((vm["state"], vm["saved_state"]), ("running", False))

    def test_by_others(self):
        with Fake() as daemon:
            daemon.define("plain", saved_state=True, saved_xml=XML, saved_time=9)
            self.assertIn(UNKNOWN, self.state(daemon, "plain", "running")["note"])
            # The software CPU would not go on in an inner VM, and there may be one.
            daemon.define("nests", NESTING, saved_state=True, saved_xml=NESTING, saved_time=9)
            self.refused(daemon, "nests", "QEMU's software CPU can't go on", **REASON)
            self.state(daemon, "nests", "running", discard_saved_state=True)

    def test_by_others_with_another_cpu(self):
        """What somebody else saved tells itself what CPU it had."""
        with Fake() as daemon:
            daemon.define("hidden", saved_state=True, saved_xml=NESTING, saved_time=9)
            self.refused(daemon, "hidden", "QEMU's software CPU can't go on", **REASON)
            daemon.define("since", NESTING, saved_state=True, saved_xml=XML, saved_time=9)
            told = self.refused(daemon, "since", "differ in whether it has the extension")
            self.assertEqual(told["next"], "nestctl start --discard-saved-state since")

    def test_by_others_after_us(self):
        with Fake() as daemon:
            self.saved(daemon, "again")
            daemon.host.change("again", saved_time=9)
            self.assertIn(UNKNOWN, self.state(daemon, "again", "running")["note"])

    def test_nesting_as_it_was_then(self):
        with Fake() as daemon:
            daemon.define("nests", NESTING, state="running")
            daemon.host.control("set:sample@nests:counted")
            self.state(daemon, "nests", "saved")
            self.assertIsNone(self.state(daemon, "nests", "running")["note"])
            self.state(daemon, "nests", "saved")
            xml = daemon.host.vm("nests")["xml"]
            daemon.host.change("nests", xml=xml.replace("require", "disable"))
            self.refused(daemon, "nests", "differ in whether it has the extension")

    def test_what_can_not_be_asked(self):
        with Fake() as daemon:
            self.saved(daemon, "one")
            says = "a saved state is resumed or discarded where"
            self.refused(daemon, "one", says, 400, restore=True, discard_saved_state=True)
            self.refused(daemon, "one", says, 400, state="off", restore=True)
            self.refused(daemon, "one", says, 400, state="saved", discard_saved_state=True)

    def interrupted(self, daemon, rule, name, **body):
        daemon.may_alarm = True
        daemon.host.control(rule)
        with contextlib.suppress(http.client.HTTPException, OSError):
            daemon.request("PUT", f"/v1/vms/{name}/state", body)
        daemon.wait()
        daemon.host.control()
        daemon.start()
        daemon.wait_backend()
        return daemon.get("/v1/operations")["operations"][0]

    def test_interrupted_save_is_known(self):
        with Fake() as daemon:
            daemon.define("cut", state="running")
            ended = self.interrupted(daemon, "crash-after:save:1", "cut", state="saved")
            self.assertEqual(ended["state"], "done", ended)
            self.older(daemon)
            self.refused(daemon, "cut", OLDER)

    def test_interrupted_discarding(self):
        for rule, note, state in (
                ("crash-before:drop_saved_state:1", "nothing had been changed", "rolled-back"),
                ("crash-after:drop_saved_state:1", "its saved state is gone, and it was not", "failed"),
                ("crash-before:start:1", "its saved state is gone, and it was not", "failed"),
                ("crash-after:start:1", "found everything done", "done")):
            with self.subTest(rule), Fake() as daemon:
                self.saved(daemon, "cut")
                ended = self.interrupted(daemon, rule, "cut", state="running",
                                         discard_saved_state=True)
                self.assertEqual(ended["state"], state, ended)
                self.assertIn(note, ended["note"])
                self.assertEqual(daemon.host.vm("cut")["saved_state"], state == "rolled-back")

    def test_through_nestctl(self):
        with Fake() as daemon:
            self.saved(daemon, "spoken")
            self.older(daemon)
            refused = daemon.nestctl("start", "spoken")
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("nestctl start --discard-saved-state spoken", refused.stderr)
            done = daemon.nestctl("start", "--discard-saved-state", "spoken")
            self.assertEqual(done.returncode, 0, done)
            eventually(lambda: daemon.get("/v1/vms/spoken")["state"] == "running")
            self.assertNotEqual(daemon.nestctl("restore", "spoken").returncode, 0)


if __name__ == "__main__":
    nestd.main()
