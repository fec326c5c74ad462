#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Goes wrong while nestd recovers: it is killed at the calls to the hypervisor, twice in a row, and
at each call that changes a file; the hypervisor is away; the store can't be written."""

import contextlib
import errno

from daemon_faults import (ALL, BROKEN, FAIL_ON, KILL, FaultyFake, Judge, need_preloading, nestd,
                           same)

ENABLE = {"enabled": True}


class TestRecovery(Judge):
    def setUp(self):
        self.daemon = self.enterContext(FaultyFake())

    def interrupt(self, name, rule="crash-after:define@{}:1"):
        """Has nestd killed in an enable; the VM as it was."""
        self.daemon.define(name, state="running")
        before = self.daemon.host.vm(name)
        self.daemon.host.control(rule.format(name))
        try:
            answer = self.daemon.nested(name)
            self.daemon.wait_operation(answer.json["id"])
            self.fail("it was not killed")
        except BROKEN:
            self.daemon.wait()
        return before

    def start_and_die(self):
        """Starts it to be killed while it recovers; whether it was."""
        with contextlib.suppress(AssertionError, *BROKEN):  # at any point of its start
            self.daemon.start()
            while self.daemon.running():
                with contextlib.suppress(TimeoutError):
                    self.daemon.wait_backend(timeout=0.2)
                    return False
        self.daemon.wait()
        return True

    def judge(self, label, name, before):
        """It was taken back, and stays so."""
        operation = self.daemon.get("/v1/operations?limit=1")["operations"][0]
        operation = self.daemon.wait_operation(operation["id"])
        self.assertEqual(operation["state"], "rolled-back", (label, operation))
        self.assert_told_truly(label, operation)
        self.assert_finished_once(label, self.daemon, operation)
        now = self.daemon.host.vm(name)
        self.assertEqual(same(now["xml"]), same(before["xml"]), label)
        self.assertEqual(now["state"], "running", label)
        self.assertTrue(self.daemon.is_recorded(), label)
        return operation

    def settle(self, label, name, before):
        self.daemon.host.control()
        self.daemon.start()
        self.daemon.wait_backend()
        first = self.judge(label, name, before)
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertEqual(self.judge(label, name, before), first)

    def killed_twice(self, slot, when, number):
        """How often it was killed in its recovery."""
        name = f"{slot}-{when}-{number}"
        before = self.interrupt(name)
        deaths = 0
        for _ in range(2):
            self.daemon.host.control(f"{when}:{slot}@{name}:{number}")
            if not self.start_and_die():
                self.daemon.kill()
                break
            deaths += 1
        self.settle(name, name, before)
        return deaths

    def test_killed_twice_at_the_hypervisor(self):
        deaths = [self.killed_twice(slot, when, number)
                  for slot, numbers in (("read", (1, 2, 3)), ("define", (1,)))
                  for when in ("crash-before", "crash-after") for number in numbers]
        print(f"recovery: killed {deaths} times", flush=True)
        self.assertEqual(deaths[0], 2)
        self.assertGreaterEqual(sum(deaths), 8)

    def test_killed_at_every_call_that_changes_a_file(self):
        before = self.interrupt("victim")
        self.daemon.host.control()
        points = 0
        for number in range(1, 200):
            self.daemon.switch.arm(KILL, number, self.daemon.directory, calls=ALL, pid=0)
            if not self.start_and_die():
                break
            self.assertTrue(self.daemon.switch.struck)
            points += 1
        self.daemon.switch.disarm()
        self.assertGreater(points, 8)
        print(f"recovery: {points} points", flush=True)
        self.daemon.kill()
        self.settle("file", "victim", before)

    def test_hypervisor_that_is_away(self):
        before = self.interrupt("away")
        self.daemon.host.control("read@away:1:BACKEND_UNAVAILABLE:gone")
        self.daemon.start()
        self.daemon.wait_log("trying again")
        self.daemon.wait_log("recovered operation")
        self.judge("away", "away", before)

    def test_store_that_is_full(self):
        before = self.interrupt("full")
        self.daemon.host.control("read@full:1:hang")
        self.daemon.start()
        self.daemon.arm(FAIL_ON, 1, self.daemon.state / "db", error=errno.ENOSPC)
        self.daemon.host.control()
        self.daemon.wait_log("recovered operation")
        self.assertFalse(self.daemon.is_recorded())
        self.assertTrue(self.daemon.switch.struck)
        self.daemon.switch.disarm()
        with self.daemon.events(after=0) as events:
            events.wait_for(kind="operation-finished")
        self.judge("full", "full", before)


need_preloading()

if __name__ == "__main__":
    nestd.main()
