# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the fault tests of the whole daemon share: striking it, and judging what is left.

The daemon runs with fault-switch.c preloaded, whose library the environment names: NEST_SWITCH.
"""

import contextlib
import http.client
import mmap
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "integration"))
import nestd  # noqa: E402
from fake import Fake  # noqa: E402
from test_failures import same  # noqa: E402

OFF, KILL, FAIL_ONCE, FAIL_ON = range(4)
WRITE, SYNC, RENAME, UNLINK, TRUNCATE, CREATE = (1 << bit for bit in range(6))
ALL = 63
BROKEN = (OSError, EOFError, http.client.HTTPException)  # what a client sees of a death
LIBRARY = os.environ.get(
    "NEST_SWITCH", str(nestd.BUILD / "tests" / "faults" / "libfault-switch.so"))


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def need_preloading():
    """A sanitizer wants to be the first library."""
    if b"libasan" in subprocess.run(["ldd", nestd.FAKE], capture_output=True).stdout:
        skip("a sanitizer leaves no room for preloading")


class Switch:
    """The layout is that of fault-switch.c."""

    def __init__(self, path):
        path.write_bytes(bytes(1024))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 1024)

    def arm(self, mode, number, below, calls=ALL, error=0, pid=0):
        """Strikes before the numberth of the calls that change files below that path."""
        self.map[:1024] = struct.pack(
            "8i480s512s", OFF, number, error, pid, calls, 0, 0, 0, str(below).encode(), b"")
        self.map[:4] = struct.pack("i", mode)

    def disarm(self):
        self.map[:4] = struct.pack("i", OFF)

    @property
    def struck(self):
        return struct.unpack_from("i", self.map, 20)[0]

    @property
    def what(self):
        return self.map[512:1024].rstrip(b"\0").decode()


class Switched:
    """For a nestd.Daemon: runs it with the switch."""

    def add_switch(self):
        self.switch = Switch(self.directory / "switch")
        self.environment["NEST_FAULTS"] = str(self.directory / "switch")
        self.environment["LD_PRELOAD"] = LIBRARY

    def arm(self, mode, number, below=None, **more):
        self.switch.arm(mode, number, below or self.directory, pid=self.pid, **more)

    def ask(self, method, path, body=None):
        """The operation, ended, or the refusal; None where the daemon died meanwhile."""
        try:
            answer = self.request(method, path, body)
            if answer.status == 202:
                return self.wait_operation(answer.json["id"])
            return answer
        except BROKEN:
            if not self.switch.struck:
                raise
        return None

    def operations_of(self, uuid):
        operations = self.get("/v1/operations?limit=200")["operations"]
        return [operation for operation in operations if operation["uuid"] == uuid]

    def is_recorded(self):
        """Whether every operation in the store has ended."""
        uri = f"file:{self.state / 'db' / 'nestd.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
            rows = database.execute(
                "SELECT id FROM operation WHERE NOT ended").fetchall()
        return rows == []

    def files(self):
        """What nestd made for VMs, by the UUID in the names."""
        return {path.stem for folder in ("disks", "console")
                for path in (self.state / folder).glob("*")}


class FaultyFake(Switched, Fake):
    """nestd over the fake hypervisor, with a switch."""

    def __init__(self, **more):
        super().__init__(environment={"NEST_FAKE_CALLS": "off"}, **more)
        self.add_switch()


class Judge(unittest.TestCase):
    """What has to hold whatever happened."""

    def assert_told_truly(self, label, operation):
        """The parts of an operation that has ended agree."""
        states = [step["state"] for step in operation["steps"]]
        self.assertIn(operation["state"], nestd.ENDED, label)
        self.assertNotIn("running", states, (label, operation))
        if operation["state"] == "done":
            self.assertEqual(set(states), {"done"}, (label, operation))
        else:
            self.assertTrue(operation["problem"], (label, operation))
        if operation["state"] in ("rolled-back", "aborted"):
            self.assertNotIn("done", states, (label, operation))

    def assert_finished_once(self, label, daemon, operation):
        with daemon.events(after=0) as events:
            told = []
            for event in events:
                if event.get("operation") == operation["id"]:
                    told.append(event["kind"])
                if event["kind"] == "operation-finished" and \
                        event["operation"] == operation["id"]:
                    break
        self.assertEqual(told.count("operation-finished"), 1, label)
        self.assertEqual(told.count("operation-started"), 1, label)
