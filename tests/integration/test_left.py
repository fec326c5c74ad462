# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd is killed in the middle of a command or of a file on its way into a VM: the next one ends
the command, and takes away what was left inside, as soon as the guest runs and its agent answers."""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import unittest

import test_exec
import test_files
import nestd
from fake import eventually

from nest_agent import HANG

WAIT = 60


class Left:
    def come_back(self):
        self.daemon.start()
        self.daemon.wait_backend()

    def told(self, kind="guest-cleared"):
        events = self.daemon.get("/v1/events?follow=0&after=0")["events"]
        return [event for event in events if event["kind"] == kind]

    def wait_told(self, kind="guest-cleared"):
        return eventually(lambda: self.told(kind), WAIT)[0]

    def kept(self):
        """What nestd keeps in mind."""
        uri = f"file:{self.daemon.state / 'db' / 'nestd.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as store:
            return [json.loads(value) for (value,) in store.execute(
                "SELECT value FROM setting WHERE key LIKE 'trace-%'")]


class Command(Left, test_exec.Case):
    def begin(self, script="trap '' HUP; echo begun; sleep 1000; :"):
        """A command that has begun; its folder."""
        connection = self.enterContext(self.asked("/bin/sh", "-c", script))
        # Held: who hangs up has the command ended.
        self.first_of(self.enterContext(connection.getresponse()))
        (self.folder,) = [trace["path"] for trace in self.kept()]
        self.assertTrue(os.path.exists(self.folder))
        return self.folder

    def gone(self):
        return not os.path.exists(self.folder) and all(
            process.poll() is not None for process in self.agent.processes.values())

    def test_killed(self):
        folder = self.begin()
        self.daemon.kill()
        self.assertTrue(os.path.exists(folder))
        self.come_back()
        event = self.wait_told()
        self.assertEqual(event["name"], "vm")
        self.assertIn(f"a command and its folder, {folder}", event["message"])
        self.assertTrue(self.gone())
        eventually(lambda: not self.kept())
        self.assertEqual(self.run_it("echo", "next"), (0, b"next\n", b""))
        self.assertEqual(self.kept(), [])

    def test_what_ignores_being_ended(self):
        self.begin("trap '' TERM; echo begun; while :; do sleep 1; done")
        self.daemon.kill()
        self.come_back()
        self.wait_told()
        self.assertTrue(self.gone())

    def test_another_process_by_now(self):
        """The guest was restarted: who has the number now is somebody else."""
        folder = self.begin()
        self.daemon.kill()
        with open(f"{folder}/pid", encoding="ascii") as stream:
            number, mark = stream.read().split()
        with open(f"{folder}/pid", "w", encoding="ascii") as stream:
            stream.write(f"{number} {mark[:-1]}\n")
        self.come_back()
        self.wait_told()
        self.assertFalse(os.path.exists(folder))
        self.assertIsNone(self.agent.processes[int(number)].poll())

    def test_the_vm_is_off_meanwhile(self):
        folder = self.begin()
        self.daemon.kill()
        self.daemon.host.stop("vm")
        self.come_back()
        self.daemon.restart()
        self.daemon.wait_backend()
        self.assertEqual([trace["path"] for trace in self.kept()], [folder])
        self.assertEqual(self.told(), [])
        self.daemon.host.start("vm")
        self.wait_told()
        self.assertTrue(self.gone())

    def test_the_vm_is_gone(self):
        self.begin()
        self.daemon.kill()
        self.daemon.host.stop("vm")
        self.daemon.host.delete("vm")
        self.come_back()
        eventually(lambda: not self.kept())
        self.assertEqual(self.told() + self.told("guest-left"), [])

    def test_the_vm_goes_away_meanwhile(self):
        self.begin()
        self.daemon.kill()
        self.daemon.host.stop("vm")
        self.come_back()
        self.assertEqual(len(self.kept()), 1)
        self.daemon.host.delete("vm")
        eventually(lambda: not self.kept())
        self.assertEqual(self.told() + self.told("guest-left"), [])

    def test_silent_for_a_while(self):
        """The agent, after the guest and nestd."""
        self.begin()
        self.daemon.kill()
        self.agent.instead = lambda command, _: HANG
        before = len(self.agent.asked)
        self.come_back()
        eventually(lambda: len(self.agent.asked) > before + 1, WAIT)
        self.assertEqual(len(self.kept()), 1)
        self.agent.instead = lambda command, _: None
        self.wait_told()
        self.assertTrue(self.gone())

    def test_whether_it_began_is_not_known(self):
        """Then it is looked for."""
        for kind in "TIMEOUT", "BACKEND_UNAVAILABLE", "GUEST_AGENT":
            with self.subTest(kind):
                self.assertEqual(self.start_fails(kind), kind.lower().replace("_", "-"))
                eventually(lambda: "guest-exec" in self.agent.asked, WAIT)
                eventually(lambda: not self.kept(), WAIT)

    def test_it_has_not_begun(self):
        for kind in "HYPERVISOR", "VM_STATE", "UNSUPPORTED", "VM_NOT_FOUND":
            with self.subTest(kind):
                self.assertEqual(self.start_fails(kind), kind.lower().replace("_", "-"))
                self.assertEqual(self.kept(), [])

    def start_fails(self, kind):
        """The kind of problem where that becomes of the question that starts a command."""
        host = self.daemon.host
        self.run_it("true")
        last = self.agent.asked[self.agent.asked.index("guest-exec") - 1]
        self.agent.asked.clear()

        def instead(command, _):
            if command == last:
                asked = len([slot for slot, _, _ in host.calls() if slot == "agent"])
                host.control(f"agent:{asked + 1}:{kind}")

        self.agent.instead = instead
        problem = self.run_it("true")[0]
        self.agent.instead = lambda command, _: None
        host.control()
        return problem["kind"]

    def test_at_each_question(self):
        for answered in False, True:
            for number in range(1, 8):
                with self.subTest(answered=answered, number=number):
                    self.die_at(number, answered)
                    self.come_back()
                    eventually(lambda: not self.kept(), WAIT)
                    self.assertTrue(self.gone())

    def die_at(self, number, answered):
        """nestd is killed by that question, before the guest has done what it asks for or after."""
        asked = []

        def instead(command, arguments):
            asked.append(command)
            if len(asked) != number:
                return None
            if answered:
                self.agent._carry_out(command, arguments)
            os.kill(self.daemon.pid, signal.SIGKILL)
            return HANG

        self.agent.instead = instead
        with self.assertRaises((OSError, EOFError, http.client.HTTPException)):
            self.run_it("/bin/sh", "-c", "echo begun; exec sleep 1000")
        self.daemon.wait()
        self.folder = ([trace["path"] for trace in self.kept()] or ["/no/such"])[0]
        self.agent.instead = lambda command, _: None


class File(Left, test_files.Case):
    def begin(self):
        """A file of which the half is there."""
        connection = self.connect()
        connection.putrequest("PUT", self.url())
        connection.putheader("Content-Length", str(len(test_files.BIG)))
        connection.endheaders(test_files.BIG[:len(test_files.BIG) // 2])
        eventually(lambda: any(path.stat().st_size > 0 for path in self.inside.glob(".nestd-*")))
        self.assertEqual([trace["path"] for trace in self.kept()],
                         [str(path) for path in self.inside.glob(".nestd-*")])

    def test_killed(self):
        self.file.write_bytes(b"old")
        self.begin()
        self.daemon.kill()
        self.assertEqual(len(self.names()), 2)
        self.come_back()
        self.assertIn("a part of a file", self.wait_told()["message"])
        self.assertEqual((self.names(), self.file.read_bytes()), ([self.file.name], b"old"))
        eventually(lambda: not self.kept())
        self.assertEqual(self.put(b"new")[0], 200)
        self.assertEqual(self.kept(), [])

    def test_the_guest_goes_away(self):
        """What nestd could not take away then, it does once the guest is back."""
        self.begin()
        self.daemon.host.stop("vm")
        eventually(lambda: not self.agent.files or self.told("guest-push"))
        self.assertEqual(len(self.kept()), 1)
        self.daemon.host.start("vm")
        self.daemon.kill()
        self.come_back()
        self.wait_told()
        self.assertEqual(self.names(), [])

    def test_it_can_not_be_taken_away(self):
        """It is tried again, and not told each time."""
        self.begin()
        self.daemon.kill()
        self.agent.blocked = {"guest-exec"}
        self.come_back()
        before = len(self.agent.asked)
        eventually(lambda: len(self.agent.asked) > before + 1, WAIT)
        self.assertEqual((len(self.kept()), self.told(), self.told("guest-left")), (1, [], []))
        self.agent.blocked = set()
        self.wait_told()
        self.assertEqual(self.names(), [])


if __name__ == "__main__":
    nestd.main()
