# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest is powered off, restarted, paused, saved or deleted in the middle of a command, or of a
file on its way in or out: that is told, at once, nothing stays behind, and the next one works."""

import base64
import json
import os
import shutil
import time
import unittest

import test_exec
import test_files
import nestd
from fake import eventually
from test_files import BIG

WAIT = 60
SCRIPT = "readlink /proc/$$/fd/1; exec sleep 1000"  # where the output goes
PATIENCE = 25  # less than nestd's own with an agent that is silent
SLOTS = 8  # so many are let into guests at a time


class Ends:
    # How a guest goes, and the kinds of problem that this may be.
    WAYS = {"off": {"vm-state", "guest-agent"}, "restart": {"guest-agent"}, "paused": {"vm-state"},
            "saved": {"vm-state"}, "deleted": {"vm-not-found", "vm-state", "guest-agent"}}

    deleted = 0  # VMs: what was left in them stays

    def go(self, way):
        host = self.daemon.host
        if way == "off":
            host.stop("vm")
            self.agent.restart()
        elif way == "restart":
            self.agent.restart()
        elif way == "paused":
            host.change("vm", state="paused")
        elif way == "saved":
            host.change("vm", state="off", live_xml=None, off_at=0, saved_state=True)
        else:
            host.stop("vm")
            host.delete("vm")
            self.deleted += 1
            self.agent.restart()

    def come_back(self, way):
        host = self.daemon.host
        if way == "deleted":
            self.daemon.define("vm", state="running")
        elif way == "paused":
            host.change("vm", state="running")
        elif way == "saved":
            host.start("vm", saved_state=False)
        elif way == "off":
            host.start("vm")
        eventually(lambda: self.daemon.get("/v1/vms/vm")["state"] == "running", WAIT)

    def each(self, begin, last, works):
        """last: what is answered in the end. More often than there are places for it."""
        for way, kinds in 2 * list(self.WAYS.items()):
            with self.subTest(way=way):
                begun = begin()
                self.go(way)
                began = time.monotonic()
                problem = last(begun)
                self.assertLess(time.monotonic() - began, PATIENCE, problem)
                self.come_back(way)
                self.assertIn(problem["kind"], kinds, problem)
                works()
        self.assertGreater(2 * len(self.WAYS), SLOTS)


class Command(Ends, test_exec.Case):
    def begin(self):
        connection = self.enterContext(self.asked("/bin/sh", "-c", SCRIPT))
        answer = self.enterContext(connection.getresponse())
        said = base64.b64decode(self.first_of(answer)["out"]).decode()
        self.addCleanup(shutil.rmtree, os.path.dirname(said.strip()), ignore_errors=True)
        return answer

    def works(self):
        self.assertEqual(self.run_it("echo", "next"), (0, b"next\n", b""))

    def test_each(self):
        self.each(self.begin, lambda answer: json.loads(answer.read().splitlines()[-1])["problem"],
                  self.works)

    def test_nobody_else_is_killed(self):
        """The number of the command belongs to another process after a restart."""
        answer = self.begin()
        (number,) = self.agent.processes
        other = self.agent.processes.pop(number)
        self.assertEqual(json.loads(answer.read().splitlines()[-1])["problem"]["kind"],
                         "guest-agent")
        self.works()
        other.kill()
        other.wait()


class Push(Ends, test_files.Case):
    def begin(self):
        connection = self.connect()
        connection.putrequest("PUT", self.url())
        connection.putheader("Content-Length", str(len(BIG)))
        connection.endheaders(BIG[:len(BIG) // 2])
        eventually(lambda: any(path.stat().st_size > 0 for path in self.inside.glob(".nestd-*")))
        return connection

    def last(self, connection):
        try:
            connection.send(BIG[len(BIG) // 2:])
        except OSError:  # it was told before all was taken
            pass
        return json.loads(connection.getresponse().read())

    def works(self):
        self.assertEqual(self.put(b"next")[0], 200)
        self.assertEqual(self.file.read_bytes(), b"next")
        eventually(lambda: len(self.names()) <= 1 + self.deleted, WAIT)

    def test_each(self):
        self.each(self.begin, self.last, self.works)


class Pull(Ends, test_files.Case):
    def begin(self):
        self.file.write_bytes(4 * BIG)
        connection = self.connect()
        connection.request("GET", self.url())
        answer = self.enterContext(connection.getresponse())
        self.assertTrue(json.loads(answer.readline()))
        return answer

    def last(self, answer):
        line = json.loads(answer.read().splitlines()[-1])
        self.assertTrue(line["ended"])
        return line["problem"]

    def works(self):
        self.file.write_bytes(b"next")
        self.assertEqual(self.get()[0], b"next")

    def test_each(self):
        self.each(self.begin, self.last, self.works)


if __name__ == "__main__":
    nestd.main()
