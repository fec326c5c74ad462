# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody else works on the same VM: between the plan and the change, and in the middle of it.

What they wrote stays. nestd takes back only what it wrote itself.
"""

import unittest

import nestd
from fake import XML, Fake, eventually
from test_failures import same

OTHERS = "<description>somebody else was here</description><memory unit='KiB'>"


class TestMeanwhile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def change(self, name, **fields):
        """What somebody else writes: the definition with a description."""
        xml = self.daemon.host.vm(name)["xml"].replace("<memory unit='KiB'>", OTHERS)
        self.daemon.host.change(name, xml=xml, **fields)
        return xml

    def problem(self, answer, status, kind):
        self.assertEqual((answer.status, answer.json["kind"]), (status, kind), answer)
        self.assertTrue(answer.json["detail"] and answer.json["next"], answer)
        return answer.json

    def begin(self, name, **more):
        answer = self.daemon.nested(name, **more)
        self.assertEqual(answer.status, 202, answer)
        return answer.json["id"]

    def enabled(self, name):
        return "check='full'" in self.daemon.host.vm(name)["xml"]

    # ---- before it begins ----

    def test_changed_after_the_plan(self):
        self.daemon.define("planned")
        old = self.daemon.plan("planned")
        self.change("planned")
        answer = self.daemon.nested("planned", plan=old["hash"])
        fresh = self.problem(answer, 409, "plan-outdated")["plan"]
        self.assertNotEqual(fresh["hash"], old["hash"])
        self.assertFalse(self.enabled("planned"))
        done = self.daemon.wait_operation(self.begin("planned", plan=fresh["hash"]))
        self.assertEqual(done["state"], "done", done)
        self.assertIn("somebody else was here", self.daemon.host.vm("planned")["xml"])

    def test_started_after_the_plan(self):
        """What the plan did not say, powering off, is not done."""
        self.daemon.define("started-late")
        plan = self.daemon.plan("started-late")
        self.daemon.host.start("started-late")
        answer = self.daemon.nested("started-late", plan=plan["hash"])
        fresh = self.problem(answer, 409, "plan-outdated")["plan"]
        self.assertIn("power-off", [item["id"] for item in fresh["items"]])
        self.assertEqual(self.daemon.host.vm("started-late")["state"], "running")

    def test_deleted_after_the_plan(self):
        self.daemon.define("deleted-late")
        plan = self.daemon.plan("deleted-late")
        self.daemon.host.delete("deleted-late")
        answer = self.daemon.nested("deleted-late", plan=plan["hash"])
        self.assertEqual((answer.status, answer.json["kind"]), (404, "vm-not-found"), answer)
        self.assertNotIn("deleted-late", self.daemon.host.vms())

    def test_seen_in_another_version(self):
        self.daemon.define("seen")
        etag = self.daemon.request("GET", "/v1/vms/seen").headers["etag"]
        # That it was started does not count.
        self.daemon.host.start("seen")
        self.daemon.host.stop("seen")
        self.change("seen")
        stale = {"If-Match": etag}
        for method, part, body in (("PUT", "/nested", {"enabled": True}), ("DELETE", "", None),
                                   ("PUT", "/state", {"state": "running"})):
            answer = self.daemon.request(method, "/v1/vms/seen" + part, body, stale)
            self.problem(answer, 412, "precondition-failed")
        now = self.daemon.host.vm("seen")
        self.assertEqual((now["state"], self.enabled("seen")), ("off", False))

    def test_seen_in_this_version(self):
        with self.daemon.events() as events:
            number = self.daemon.define("known")
            etag = self.daemon.request("GET", "/v1/vms/known").headers["etag"]
            self.daemon.host.start("known")
            events.wait_for(kind="vm-started", uuid=number)
        body = {"enabled": True}
        done = self.daemon.change("PUT", "/v1/vms/known/nested", body, {"If-Match": etag})
        self.assertEqual(done["state"], "done", done)

    # ---- in the middle of it ----

    def test_changed_before_it_is_written(self):
        number = self.daemon.define("changed")
        with self.daemon.holding("read", number, 1) as held:
            operation = self.begin("changed")
            held()
            theirs = self.change("changed")
        ended = self.daemon.wait_operation(operation)
        self.assertEqual(ended["state"], "rolled-back", ended)
        self.assertEqual(ended["problem"]["kind"], "vm-changed")
        self.assertEqual(self.daemon.host.vm("changed")["xml"], theirs)

    def test_changed_before_the_end_is_told(self):
        """Where nestd's reading of the change overtakes that of the end, the end is seen all the same."""
        number = self.daemon.define("overtaken")
        with self.daemon.holding("read", number, 1) as held:
            answer = self.daemon.request("PUT", "/v1/vms/overtaken/trust", {"trust": "trusted"})
            held()
            self.daemon.host.change("overtaken", autostart=True)
            eventually(lambda: self.daemon.get("/v1/vms/overtaken")["autostart"])
            shown = self.daemon.get("/v1/vms/overtaken")["operation"]
            self.assertEqual(shown, answer.json["id"])
        self.assertEqual(self.daemon.wait_operation(answer.json["id"])["state"], "done")
        eventually(lambda: self.daemon.get("/v1/vms/overtaken")["operation"] == 0)

    def test_deleted_before_it_is_written(self):
        number = self.daemon.define("deleted")
        with self.daemon.holding("read", number, 1) as held:
            operation = self.begin("deleted")
            held()
            self.daemon.host.delete("deleted")
        ended = self.daemon.wait_operation(operation)
        self.assertEqual(ended["problem"]["kind"], "vm-not-found", ended)
        self.assertEqual(ended["state"], "rolled-back", ended)
        self.assertNotIn("deleted", self.daemon.host.vms())

    def test_deleted_while_it_is_written(self):
        """What somebody deleted does not come back."""
        number = self.daemon.define("vanished")
        with self.daemon.holding("define", number) as held:
            operation = self.begin("vanished")
            held()
            self.daemon.host.delete("vanished")
        ended = self.daemon.wait_operation(operation)
        self.assertEqual(ended["problem"]["kind"], "vm-not-found", ended)
        self.assertNotIn("vanished", self.daemon.host.vms())

    def test_renamed_before_it_is_written(self):
        number = self.daemon.define("renamed")
        for slot, later in (("read", 1), ("define", 0)):
            with self.daemon.holding(slot, number, later) as held:
                name = self.daemon.get(f"/v1/vms/{number}")["name"]
                operation = self.begin(number)
                held()
                theirs = self.daemon.host.vm(name)["xml"].replace(name, "now-" + name)
                with self.daemon.events() as events:
                    self.daemon.host.define(theirs)
                    events.wait_for(kind="vm-changed", uuid=number)
            ended = self.daemon.wait_operation(operation)
            self.assertIn(ended["state"], ("rolled-back", "failed"), ended)
            self.assertTrue(ended["problem"]["detail"])
            self.assertEqual(self.daemon.host.vm("now-" + name)["xml"], theirs)
            self.assertNotIn(name, self.daemon.host.vms())
        self.assertEqual(self.daemon.request("GET", "/v1/vms/renamed").status, 404)

    def test_started_while_it_is_written(self):
        """It was off when that was decided: it is not powered off, and is shown as it is."""
        number = self.daemon.define("started")
        with self.daemon.events() as events:
            with self.daemon.holding("define", number) as held:
                operation = self.begin("started")
                held()
                self.daemon.host.start("started")
                events.wait_for(kind="vm-started", uuid=number)
            ended = self.daemon.wait_operation(operation)
        self.assertEqual(ended["state"], "done", ended)
        self.assertTrue(self.enabled("started"))
        vm = self.daemon.get("/v1/vms/started")
        self.assertEqual((vm["state"], vm["pending"]), ("running", True))

    def test_changed_while_the_guest_shuts_down(self):
        """Whoever writes the old definition again gets what they wrote; done is not said."""
        number = self.daemon.define("undone", state="running")
        with self.daemon.holding("wait_off", number, 0) as held:
            operation = self.begin("undone")
            held()
            theirs = XML.format(name="undone", uuid=number).replace("2097152", "3145728")
            self.daemon.host.change("undone", xml=theirs)
        ended = self.daemon.wait_operation(operation)
        self.assertEqual(self.daemon.host.vm("undone")["xml"], theirs)
        self.assertEqual(ended["state"], "failed", ended)
        self.assertEqual(self.daemon.get("/v1/vms/undone")["nesting"], "off")

    def test_changed_before_it_is_taken_back(self):
        """The wait for the guest fails, and what is there is no longer what nestd wrote."""
        number = self.daemon.define("kept", state="running")
        rules = "wait_off@kept:*:TIMEOUT:no", "stop@kept:*:HYPERVISOR:no"
        with self.daemon.holding("shutdown", number, 0, *rules) as held:
            operation = self.begin("kept")
            held()
            theirs = self.change("kept")
        ended = self.daemon.wait_operation(operation)
        self.daemon.host.control()
        self.assertEqual(self.daemon.host.vm("kept")["xml"], theirs)
        self.assertEqual(ended["state"], "failed", ended)
        self.assertIn("somebody else", ended["note"])

    def test_deleted_while_the_guest_shuts_down(self):
        number = self.daemon.define("vanished", state="running")
        with self.daemon.holding("shutdown", number) as held:
            operation = self.begin("vanished")
            held()
            self.daemon.host.stop("vanished")
            self.daemon.host.delete("vanished")
        ended = self.daemon.wait_operation(operation)
        self.assertNotEqual(ended["state"], "done", ended)
        self.assertNotIn("vanished", self.daemon.host.vms())

    def test_definition_is_kept_by_what_fails(self):
        """The same without anybody else: the original comes back."""
        self.daemon.define("alone", state="running")
        before = self.daemon.host.vm("alone")["xml"]
        self.daemon.host.control("wait_off@alone:*:TIMEOUT:no", "stop@alone:*:HYPERVISOR:no")
        ended = self.daemon.wait_operation(self.begin("alone"))
        self.daemon.host.control()
        self.assertEqual(ended["state"], "rolled-back", ended)
        self.assertEqual(same(self.daemon.host.vm("alone")["xml"]), same(before))


if __name__ == "__main__":
    nestd.main()
