# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nestd changed in a definition can be seen and taken back, also when things go wrong."""

import contextlib
import http.client
import unittest

import nestd
from fake import Fake
from test_failures import same

SECRET = "<description>hunter2</description>"


class TestUndo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def xml(self, name):
        return same(self.daemon.host.vm(name)["xml"])

    def enable(self, name, **fields):
        """A VM for which enable is done; its definition before that."""
        self.daemon.define(name, **fields)
        before = self.xml(name)
        operation = self.daemon.change("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
        self.assertEqual(operation["state"], "done", operation)
        self.assertNotEqual(self.xml(name), before)
        return before

    def history(self, name):
        return self.daemon.get(f"/v1/vms/{name}/history")["revisions"]

    def undo(self, name, **body):
        return self.daemon.change("PUT", f"/v1/vms/{name}/undo", body)

    def plan(self, name, **body):
        return self.daemon.request("POST", f"/v1/vms/{name}/undo/plan", body).json

    def refused(self, name, kind, **body):
        before = self.xml(name)
        plan = self.plan(name, **body)
        self.assertEqual((plan["verdict"], plan["problem"]["kind"]), ("refused", kind), plan)
        answer = self.daemon.request("PUT", f"/v1/vms/{name}/undo", body)
        self.assertEqual(answer.json["kind"], kind, answer)
        self.assertEqual(answer.json["plan"]["hash"], plan["hash"])
        self.assertEqual(self.xml(name), before)
        return answer.json

    def test_there_and_back_and_there(self):
        before = self.enable("back")
        after = self.xml("back")
        revision, = self.history("back")
        self.assertEqual((revision["kind"], revision["uid"] >= 0), ("enable", True))
        self.assertIn("memory: 1–2 GiB → 4 GiB", revision["summary"])
        plan = self.plan("back")
        self.assertEqual([item["id"] for item in plan["items"]],
                         ["extensions", "memory", "balloon", "mac-spoofing"])
        operation = self.undo("back", plan=plan["hash"])
        self.assertEqual((operation["kind"], operation["state"]), ("undo", "done"), operation)
        self.assertEqual(self.xml("back"), before)
        self.assertEqual([r["kind"] for r in self.history("back")], ["undo", "enable"])
        self.assertEqual(self.undo("back")["state"], "done")
        self.assertEqual(self.xml("back"), after)
        self.assertEqual(self.undo("back", to=revision["id"])["state"], "done")
        self.assertEqual(self.xml("back"), before)
        self.assertIsNone(self.undo("back", to=revision["id"]))
        self.assertEqual(len(self.history("back")), 4)

    def test_running_is_turned_off(self):
        before = self.enable("runs")
        self.daemon.host.start("runs")
        self.assertEqual(self.plan("runs")["items"][0]["id"], "power-off")
        self.assertEqual(self.undo("runs")["state"], "done")
        now = self.daemon.host.vm("runs")
        self.assertEqual((same(now["xml"]), now["state"]), (before, "off"))

    def test_refusals(self):
        self.daemon.define("never")
        self.refused("never", "vm-state")
        self.refused("never", "invalid-request", to=99999)
        self.enable("changed")
        first = self.history("changed")[0]["id"]
        self.refused("changed", "invalid-request", to=first + 1)
        self.daemon.change("PUT", "/v1/vms/changed/nested", {"enabled": False})
        xml = self.daemon.host.vm("changed")["xml"]
        self.daemon.host.change("changed", xml=xml.replace(">2</vcpu>", ">3</vcpu>"))
        self.refused("changed", "vm-changed")
        self.refused("changed", "vm-changed", to=first)
        self.assertEqual(self.daemon.request("GET", "/v1/vms/nobody/history").status, 404)

    def test_far_back(self):
        """Over more revisions than are read at once, to the first of them."""
        before = self.enable("far")
        first = self.history("far")[0]["id"]
        for number in range(52):
            self.assertEqual(self.undo("far")["state"], "done", number)
        self.daemon.change("PUT", "/v1/vms/far/memory", {"memory_kib": 6291456})
        self.daemon.change("PUT", "/v1/vms/far/memory", {"memory_kib": 7340032})
        self.assertEqual(self.undo("far", to=first)["state"], "done")
        self.assertEqual(self.xml("far"), before)

    def test_outdated_plan(self):
        self.enable("outdated")
        plan = self.plan("outdated")
        self.daemon.host.start("outdated")
        answer = self.daemon.request("PUT", "/v1/vms/outdated/undo", {"plan": plan["hash"]})
        self.assertEqual((answer.status, answer.json["kind"]), (409, "plan-outdated"))

    def test_definitions_are_not_told(self):
        self.daemon.define("secret")
        xml = self.daemon.host.vm("secret")["xml"].replace("<memory ", SECRET + "<memory ", 1)
        self.daemon.host.change("secret", xml=xml)
        self.assertEqual(self.daemon.change(
            "PUT", "/v1/vms/secret/nested", {"enabled": True})["state"], "done")
        for answer in (self.daemon.request("GET", "/v1/vms/secret/history"),
                       self.daemon.request("POST", "/v1/vms/secret/undo/plan", {})):
            self.assertEqual(answer.status, 200)
            self.assertNotIn(b"hunter2", answer.body)
        self.assertIn("hunter2", self.xml("secret"))

    def test_every_call_fails(self):
        for slot, numbers in (("read", range(4, 16)), ("define", (2, 3)), ("shutdown", (1, 2))):
            for nth in numbers:
                for fault in ("HYPERVISOR:no", "after:no", "TIMEOUT:late"):
                    name = f"u-{slot}-{nth}-{fault.split(':')[0]}"
                    with self.subTest(name=name):
                        self.one_fault(name, f"{slot}@{name}:{nth}:{fault}")

    def one_fault(self, name, rule):
        before = self.enable(name)
        after = self.xml(name)
        self.daemon.host.start(name)
        self.daemon.host.control(rule)
        answer = self.daemon.request("PUT", f"/v1/vms/{name}/undo", {})
        ended = self.daemon.wait_operation(answer.json["id"]) if answer.status == 202 else None
        self.daemon.host.control()
        done = ended is not None and ended["state"] == "done"
        self.assertEqual(self.xml(name), before if done else after, ended)
        if ended is not None and not done:
            self.assertEqual(ended["state"], "rolled-back", ended)
        if not done:
            self.assertEqual(self.undo(name)["state"], "done")

    def test_read_back_differs(self):
        self.enable("tampered")
        after = self.xml("tampered")
        self.daemon.host.control("tamper:define@tampered:2:clean-traffic=>no-mac-spoofing")
        operation = self.undo("tampered")
        self.daemon.host.control()
        self.assertEqual(operation["state"], "rolled-back", operation)
        self.assertEqual(operation["problem"]["kind"], "not-verified")
        self.assertEqual(self.xml("tampered"), after)

    def test_command(self):
        before = self.enable("typed")
        ended = self.daemon.nestctl("history", "typed")
        self.assertIn("enable", ended.stdout)
        ended = self.daemon.nestctl("undo", "typed", "--yes")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("The earlier definition of typed is back", ended.stdout)
        self.assertEqual(self.xml("typed"), before)

    def test_audit(self):
        self.daemon.define("open")
        xml = self.daemon.host.vm("open")["xml"]
        with self.daemon.events() as events:
            self.daemon.host.change("open", xml=xml.replace(
                "<feature policy='disable' name='svm'/>", ""))
            events.wait_for(kind="vm-changed", name="open")
        ended = self.daemon.nestctl("audit")
        self.assertEqual(ended.returncode, 1, ended)
        self.assertIn("To disable nesting, open will be changed:", ended.stdout)
        ended = self.daemon.nestctl("audit", "--close", "--yes")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("policy='disable' name='svm'", self.daemon.host.vm("open")["xml"])
        self.assertEqual(self.daemon.nestctl("audit").returncode, 0)


class TestKilled(unittest.TestCase):
    def killed(self, rule):
        """nestd dies in the middle of an undo and is started again."""
        with Fake() as daemon:
            daemon.define("victim")
            before = same(daemon.host.vm("victim")["xml"])
            daemon.change("PUT", "/v1/vms/victim/nested", {"enabled": True})
            after = same(daemon.host.vm("victim")["xml"])
            daemon.host.start("victim")
            daemon.host.control(rule, "set:shutdown-ms:0")  # off when nestd looks again
            with contextlib.suppress(OSError, EOFError, http.client.HTTPException):
                daemon.request("PUT", "/v1/vms/victim/undo", {})  # it may die while answering
            daemon.wait()
            self.assertTrue(daemon.host.struck())
            daemon.host.control()
            daemon.start()
            daemon.wait_backend()
            newest = daemon.get("/v1/operations?limit=1")["operations"][0]
            operation = daemon.wait_operation(newest["id"])
            self.assertEqual(operation["kind"], "undo")
            now = daemon.host.vm("victim")
            done = operation["state"] == "done"
            self.assertEqual(same(now["xml"]), before if done else after, operation)
            if not done:
                self.assertEqual(operation["state"], "rolled-back", operation)
            return operation["state"]

    def test_killed(self):
        for rule, state in (("crash-before:define@victim:2", "rolled-back"),
                            ("crash-after:define@victim:2", "rolled-back"),
                            ("crash-before:shutdown@victim:1", "rolled-back"),
                            ("crash-after:wait_off@victim:1", "done")):
            with self.subTest(rule=rule):
                self.assertEqual(self.killed(rule), state)


if __name__ == "__main__":
    nestd.main()
