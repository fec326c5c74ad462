# SPDX-License-Identifier: LGPL-2.1-or-later
"""What running VMs do with their extension: seen, told once, and asked for before it matters."""

import unittest

import nestd
from fake import XML, Fake, eventually

NESTED = XML.replace("policy='disable' name='svm'", "policy='require' name='svm'")
# After a look that took long nestd rests for up to 30 s.
PATIENCE = nestd.OPERATION_DEADLINE
L2_EVENTS = ("nested-l2-started", "nested-l2-stopped", "nested-armed")


class TestActivity(unittest.TestCase):
    def fake(self, **guard):
        return Fake(config={"guard": {"sample": 1, **guard}})

    def activity(self, daemon, name):
        """By its own resource, which the list must agree with."""
        vm = daemon.get(f"/v1/vms/{name}")
        listed = {row["name"]: row for row in daemon.get("/v1/vms")["vms"]}
        check, = [check for check in vm["checks"] if check["id"] == "vm.l2"]
        self.assertEqual(check["verdict"],
                         "info" if vm["activity"] != "none" else "not-applicable")
        return vm["activity"] if listed[name]["activity"] == vm["activity"] else "torn"

    def becomes(self, daemon, name, activity):
        eventually(lambda: self.activity(daemon, name) == activity, PATIENCE)

    def told(self, daemon):
        events = daemon.get("/v1/events?follow=0")["events"]
        return [event["kind"] for event in events if event["kind"] in L2_EVENTS]

    def test_life(self):
        with self.fake() as daemon, daemon.events() as events:
            daemon.define("one", NESTED)
            self.assertEqual(self.activity(daemon, "one"), "none")
            daemon.host.control("set:sample@one:counted")
            daemon.host.start("one")
            self.becomes(daemon, "one", "exposed")
            daemon.host.control("set:sample@one:nested_run=5,grow=1")
            event = events.wait_for(kind="nested-l2-started")
            self.assertEqual((event["name"], event["message"]),
                             ("one", "inner virtual machines run in one"))
            self.becomes(daemon, "one", "hosting")
            daemon.host.stop("one")
            events.wait_for(kind="nested-l2-stopped", name="one")
            self.becomes(daemon, "one", "none")
            self.assertEqual(self.told(daemon), ["nested-l2-started", "nested-l2-stopped"])

    def test_stopped_while_looking_rests(self):
        """Where the only VM goes off between two looks, there is one more."""
        with self.fake() as daemon, daemon.events() as events:
            daemon.host.control("set:sample@one:counted,nested_run=5,grow=1", "delay:sample:*:100")
            daemon.define("one", NESTED, state="running")
            self.becomes(daemon, "one", "hosting")
            daemon.host.stop("one")
            events.wait_for(kind="nested-l2-stopped", name="one")
            self.becomes(daemon, "one", "none")

    def test_neither_counter_nor_register(self):
        with self.fake() as daemon:
            daemon.define("hidden", state="running")
            daemon.define("nested", NESTED, state="running")
            self.becomes(daemon, "hidden", "off")
            self.becomes(daemon, "nested", "unknown")
            self.assertEqual(self.told(daemon), [])

    def test_monitor(self):
        with self.fake(monitor="yes") as daemon, daemon.events() as events:
            daemon.define("hidden", state="running")
            daemon.define("nested", NESTED, state="running")
            self.becomes(daemon, "nested", "exposed")
            # What has no extension is not asked: that would taint it for nothing.
            self.becomes(daemon, "hidden", "off")
            number = daemon.host.vm("hidden")["uuid"]
            self.assertNotIn(number, [call[1] for call in daemon.host.calls()
                                      if call[0] == "sample"])
            # A job asks at once, and what it heard is told.
            daemon.host.control("set:sample@nested:armed")
            answer = daemon.request("PUT", "/v1/vms/nested/state", {"state": "saved"})
            self.assertEqual(answer.json["kind"], "vm-state", answer)
            events.wait_for(kind="nested-armed", name="nested")
            self.becomes(daemon, "nested", "armed")

    def test_told_once_over_a_restart(self):
        with self.fake() as daemon:
            grows = "set:sample@one:resumed,nested_run=5,grow=1"
            daemon.define("one", NESTED, state="running")
            daemon.host.control(grows)
            self.becomes(daemon, "one", "hosting")
            for _ in range(2):
                # The second look of the next nestd waits until it was seen what the first says.
                daemon.host.control(grows, "sample:2:hang")
                daemon.restart()
                daemon.wait_backend()
                self.becomes(daemon, "one", "unknown")
                daemon.host.control(grows)
                self.becomes(daemon, "one", "hosting")
            daemon.host.stop("one")
            eventually(lambda: len(self.told(daemon)) == 2, PATIENCE)
            self.assertEqual(self.told(daemon), ["nested-l2-started", "nested-l2-stopped"])

    def test_a_guard_judges_by_what_is_so_now(self):
        """Not by what was sampled last, however long ago that is."""
        with Fake(config={"guard": {"sample": 300}}) as daemon:
            daemon.define("one", NESTED, state="running")
            daemon.host.control("set:sample@one:counted,guest")
            answer = daemon.request("PUT", "/v1/vms/one/state", {"state": "saved"})
            self.assertEqual(answer.status, 409, answer)
            self.assertIn("it hosts other VMs", answer.json["detail"])
            daemon.host.control("set:sample@one:run=2,counted")
            operation = daemon.change("PUT", "/v1/vms/one/state", {"state": "saved"})
            self.assertEqual(operation["state"], "done")

    def test_a_look_that_hangs_holds_up_nothing_else(self):
        with self.fake() as daemon:
            daemon.define("one", NESTED, state="running")
            with daemon.holding("sample") as held:
                held()
                daemon.define("two")
                operation = daemon.change("PUT", "/v1/vms/two/state", {"state": "running"})
                self.assertEqual(operation["state"], "done")
            daemon.host.control("set:sample@one:counted")
            self.becomes(daemon, "one", "exposed")

    def test_looks_that_fail(self):
        with self.fake() as daemon:
            daemon.host.control("set:sample@one:counted")
            daemon.define("one", NESTED, state="running")
            self.becomes(daemon, "one", "exposed")
            daemon.host.control("sample:*:timeout:no answer")
            self.becomes(daemon, "one", "unknown")
            daemon.wait_log("can't be told: no answer")
            self.assertEqual(daemon.log().count("can't be told: no answer"), 1)
            daemon.host.control("set:sample@one:counted")
            self.becomes(daemon, "one", "exposed")

    def test_none_while_nothing_runs(self):
        with self.fake() as daemon, daemon.events() as events:
            daemon.define("one", state="running")
            self.becomes(daemon, "one", "off")
            daemon.host.stop("one")
            events.wait_for(kind="vm-stopped", name="one")
            daemon.host.control("delay:start:1:2500")
            daemon.change("PUT", "/v1/vms/one/state", {"state": "running"})
            slots = [call[0] for call in daemon.host.calls()]
            # While it was being started, for so long, nobody looked, but for the last time that
            # shows that it is off; now somebody does.
            begun = slots.index("start")
            read = slots.index("read", begun)
            self.assertLessEqual(slots[begun:read].count("sample"), 1, slots[begun:])
            eventually(lambda: "sample" in [call[0] for call in daemon.host.calls()][begun:],
                       PATIENCE)


if __name__ == "__main__":
    nestd.main()
