# SPDX-License-Identifier: LGPL-2.1-or-later
"""A VM that does not start after enable because of it gets its definition back, and is told so; one
that does not start for another reason keeps it."""

import contextlib
import http.client
import unittest

import nestd
from fake import XML, Fake
from test_failures import same

BLAMED = {"cpu": "HOST_UNFIT:guest CPU lacks svm", "unsupported": "UNSUPPORTED:no such CPU mode",
          "memory": "HYPERVISOR:cannot set up guest memory 'pc.ram': Cannot allocate memory"}
NOT_BLAMED = {"disk": "HYPERVISOR:Cannot access storage file '/x': No such file or directory",
              "kind": "UNSUPPORTED:unsupported configuration: disk type not supported",
              "port": "HYPERVISOR:Failed to bind socket: Address already in use",
              "gone": "BACKEND_UNAVAILABLE:gone", "slow": "TIMEOUT:late", "busy": "VM_BUSY:busy"}


class TestTakeBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def xml(self, name):
        return self.daemon.host.vm(name)["xml"]

    def enable(self, name, xml=XML, **wish):
        """The definition before enable, which is done."""
        self.daemon.define(name, xml)
        before = self.xml(name)
        operation = self.daemon.change(
            "PUT", f"/v1/vms/{name}/nested", {"enabled": True, **wish})
        self.assertEqual(operation["state"], "done", operation)
        return before

    def start(self, name, *rules):
        self.daemon.host.control(*rules)
        operation = self.daemon.change("PUT", f"/v1/vms/{name}/state", {"state": "running"})
        self.daemon.host.control()
        return operation

    def kinds(self, name):
        return [row["kind"] for row in self.daemon.get(f"/v1/vms/{name}/history")["revisions"]]

    def kept(self, name, operation, words=None):
        self.assertEqual(self.kinds(name)[:1], ["enable"])
        self.assertIn("check='full'", self.xml(name))
        self.assertNotIn("taken back", operation["problem"]["detail"])
        if words:
            self.assertIn(words, operation["problem"]["detail"])

    def test_blamed(self):
        for name, fault in BLAMED.items():
            with self.subTest(fault=fault), self.daemon.events() as events:
                before = self.enable(name)
                operation = self.start(name, f"start@{name}:1:{fault}")
                self.assertEqual(operation["state"], "rolled-back", operation)
                self.assertIn(fault.split(":", 1)[1], operation["problem"]["detail"])
                self.assertIn("nesting was taken back", operation["problem"]["detail"])
                self.assertEqual(same(self.xml(name)), same(before))
                self.assertEqual(self.kinds(name), ["undo", "enable"])
                events.wait_for(kind="operation-finished", name=name, operation=operation["id"] + 1)
                undo = self.daemon.get(f"/v1/operations/{operation['id'] + 1}")
                self.assertEqual((undo["kind"], undo["state"]), ("undo", "done"))
                self.assertEqual(self.daemon.get(f"/v1/vms/{name}")["nesting"], "off")
                self.assertEqual(self.start(name)["state"], "done")

    def test_not_blamed(self):
        for name, fault in NOT_BLAMED.items():
            with self.subTest(fault=fault):
                self.enable(name)
                operation = self.start(name, f"start@{name}:1:{fault}")
                self.kept(name, operation,
                          f"nestctl undo {name}" if fault[0] in "HU" else None)

    def test_memory_that_was_not_changed(self):
        xml = XML.replace(">1048576<", ">2097152<").replace("model='virtio'/>\n  </dev",
                                                            "model='none'/>\n  </dev")
        self.enable("same", xml, decline=["memory"])
        self.kept("same", self.start("same", f"start@same:1:{BLAMED['memory']}"))

    def test_started_before(self):
        self.enable("old")
        self.assertEqual(self.start("old")["state"], "done")
        self.daemon.change("PUT", "/v1/vms/old/state", {"state": "off"})
        self.kept("old", self.start("old", f"start@old:2:{BLAMED['cpu']}"))

    def test_started_by_others(self):
        """Also over a restart of nestd."""
        with Fake() as daemon:
            daemon.define("theirs")
            daemon.change("PUT", "/v1/vms/theirs/nested", {"enabled": True})
            with daemon.events() as events:
                daemon.host.start("theirs")
                events.wait_for(kind="vm-started", name="theirs")
            with daemon.events() as events:
                daemon.host.stop("theirs")
                events.wait_for(kind="vm-stopped", name="theirs")
            daemon.restart()
            daemon.wait_backend()
            daemon.host.control(f"start@theirs:1:{BLAMED['cpu']}")
            operation = daemon.change("PUT", "/v1/vms/theirs/state", {"state": "running"})
            self.assertNotIn("taken back", operation["problem"]["detail"])
            self.assertIn("check='full'", daemon.host.vm("theirs")["xml"])

    def test_changed_since(self):
        self.enable("mine")
        self.daemon.host.change("mine", xml=self.xml("mine").replace(">2</vcpu>", ">3</vcpu>"))
        self.kept("mine", self.start("mine", f"start@mine:1:{BLAMED['cpu']}"))

    def test_resized_since(self):
        """What came after enable is not lost, and the way back is named; undone, it is open."""
        before = self.enable("sized")
        self.daemon.change("PUT", "/v1/vms/sized/memory", {"memory_kib": 8388608})
        operation = self.start("sized", f"start@sized:1:{BLAMED['cpu']}")
        self.assertIn("not taken back, because sized was changed", operation["problem"]["detail"])
        self.assertIn("nestctl undo sized", operation["problem"]["next"])
        self.assertEqual(self.kinds("sized"), ["memory", "enable"])
        self.daemon.change("PUT", "/v1/vms/sized/undo", {})
        operation = self.start("sized", f"start@sized:2:{BLAMED['cpu']}")
        self.assertIn("nesting was taken back", operation["problem"]["detail"])
        self.assertEqual(same(self.xml("sized")), same(before))

    def test_enabled_again(self):
        """After a way back there is a way forth, and back."""
        before = self.enable("again")
        for nth in (1, 2):
            self.assertEqual(self.start("again", f"start@again:{nth}:{BLAMED['cpu']}")["state"],
                             "rolled-back")
            self.assertEqual(same(self.xml("again")), same(before))
            self.daemon.change("PUT", "/v1/vms/again/nested", {"enabled": True})

    def test_way_back_is_blocked(self):
        for nth, fault in enumerate(("HYPERVISOR:no", "after:no", "TIMEOUT:late")):
            name = f"blocked{nth}"
            with self.subTest(fault=fault):
                self.enable(name)
                after = self.xml(name)
                operation = self.start(
                    name, f"start@{name}:1:{BLAMED['cpu']}", f"define@{name}:2:{fault}")
                self.assertIn("could not be taken back", operation["problem"]["detail"])
                self.assertEqual(operation["problem"]["next"], f"nestctl undo {name}")
                self.assertEqual(same(self.xml(name)), same(after))

    def test_command(self):
        before = self.enable("typed")
        self.daemon.host.control(f"start@typed:1:{BLAMED['cpu']}")
        ended = self.daemon.nestctl("start", "typed")
        self.daemon.host.control()
        self.assertEqual(ended.returncode, 10, ended)
        self.assertIn("so nesting was taken back", ended.stderr)
        self.assertEqual(same(self.xml("typed")), same(before))


class TestKilled(unittest.TestCase):
    def killed(self, rule):
        """nestd dies while it takes enable back; the definition afterwards is one of the two."""
        with Fake() as daemon:
            daemon.define("victim")
            before = same(daemon.host.vm("victim")["xml"])
            daemon.change("PUT", "/v1/vms/victim/nested", {"enabled": True})
            after = same(daemon.host.vm("victim")["xml"])
            fault = f"start@victim:1:{BLAMED['cpu']}"
            daemon.host.control(fault, rule)
            with contextlib.suppress(OSError, EOFError, http.client.HTTPException):
                daemon.request("PUT", "/v1/vms/victim/state", {"state": "running"})
            daemon.wait()
            daemon.host.control()
            daemon.start()
            daemon.wait_backend()
            operations = daemon.get("/v1/operations?limit=2")["operations"]
            ended = {row["kind"]: daemon.wait_operation(row["id"])["state"] for row in operations}
            now = same(daemon.host.vm("victim")["xml"])
            self.assertEqual(now, before if ended["undo"] == "done" else after)
            if now == after:
                daemon.host.control("start@victim:1:" + BLAMED["cpu"])
                operation = daemon.change("PUT", "/v1/vms/victim/state", {"state": "running"})
                self.assertIn("taken back", operation["problem"]["detail"])
                self.assertEqual(same(daemon.host.vm("victim")["xml"]), before)
            return ended

    def test_killed(self):
        for rule, undone in (("crash-before:define@victim:2", "rolled-back"),
                             ("crash-after:define@victim:2", "done")):
            with self.subTest(rule=rule):
                self.assertEqual(self.killed(rule), {"start": "rolled-back", "undo": undone})


if __name__ == "__main__":
    nestd.main()
