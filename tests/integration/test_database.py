# SPDX-License-Identifier: LGPL-2.1-or-later
"""The database's file system is full, read-only or gone bad, and the file is not what it should be.

What cannot be recorded is not begun, what was begun ends and is told, reading goes on, and nothing
is written to a file that is not understood.
"""

import hashlib
import os
import sqlite3
import subprocess
import unittest

import nestd
import private_mounts
from fake import Fake

STORE = 15
LIMIT = "size=3m,mode=0711"


def content(directory):
    """Names and content of what is there, but for the lock."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.iterdir()) if path.name != "lock"}


class Full(Fake):
    """nestd with its state on a small file system of its own, which can be filled."""

    def __init__(self, **more):
        super().__init__(**more)
        self.state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", LIMIT, "none", self.state], check=True)

    def _clean_up(self):
        if self.running():
            self.kill()
        subprocess.run(["umount", "-l", self.state], check=False)
        super()._clean_up()

    def fill(self):
        with open(self.state / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    def empty(self):
        (self.state / "filler").unlink()

    def remount(self, word):
        subprocess.run(["mount", "-o", f"remount,{word}", self.state], check=True)


class TestFull(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        private_mounts.enter()

    def refused(self, answer):
        self.assertEqual((answer.status, answer.json["kind"]), (507, "store-full"), answer)
        self.assertIn("by itself", answer.json["next"])

    def exhaust(self, daemon, request):
        """Requests until the log of the database has no room left; True if that comes."""
        for _ in range(60):
            answer = request()
            if answer.status != 202:
                self.refused(answer)
                return True
            self.assertEqual(daemon.wait_operation(answer.json["id"])["state"], "done")
        return False

    def toggle(self, daemon, name="vm"):
        """Starts the VM, or stops it."""
        state = "off" if daemon.host.vm(name)["state"] == "running" else "running"
        body = {"state": state, "force": state == "off"}
        return daemon.request("PUT", f"/v1/vms/{name}/state", body)

    def test_full_and_free_again(self):
        with Full() as daemon:
            daemon.define("vm")
            for _ in range(2):
                daemon.fill()
                self.assertTrue(self.exhaust(daemon, lambda: self.toggle(daemon)))
                before = daemon.host.vm("vm")
                for body in ({"enabled": True}, {"enabled": True, "decline": ["memory"]}):
                    self.refused(daemon.request("PUT", "/v1/vms/vm/nested", body))
                self.refused(daemon.request("DELETE", "/v1/vms/vm")
                             if before["state"] == "off" else self.toggle(daemon))
                spec = {"name": "new", "memory_kib": 65536, "network": "none"}
                self.refused(daemon.request("POST", "/v1/vms", spec))
                self.assertEqual(daemon.host.vm("vm"), before)
                self.assertNotIn("new", daemon.host.vms())
                for path in ("/v1", "/v1/vms", "/v1/vms/vm", "/v1/status", "/v1/operations",
                             "/v1/events?follow=0", "/v1/host"):
                    daemon.get(path)
                self.assertEqual(daemon.plan("vm")["verdict"], "steps")
                daemon.empty()
                answer = self.toggle(daemon)
                self.assertEqual(answer.status, 202, answer)
                self.assertEqual(daemon.wait_operation(answer.json["id"])["state"], "done")
            operations = daemon.get("/v1/operations")["operations"]
            daemon.restart()
            self.assertEqual(daemon.get("/v1/operations")["operations"], operations)

    def test_full_in_the_middle(self):
        """The operation ends, and how is told at once; in the store it is when there is room."""
        with Full() as daemon:
            number = daemon.define("vm")
            daemon.define("other", state="running")
            with daemon.holding("define", number) as held:
                operation = daemon.nested("vm").json["id"]
                held()
                daemon.fill()
                # The log of the database has some room left.
                self.assertTrue(self.exhaust(daemon, lambda: self.toggle(daemon, "other")))
            ended = daemon.wait_operation(operation)
            self.assertEqual(ended["state"], "done", ended)
            self.assertIn("could not be recorded", ended["note"])
            self.assertIn("check='full'", daemon.host.vm("vm")["xml"])
            listed = daemon.get("/v1/operations")["operations"]
            self.assertEqual([o for o in listed if o["id"] == operation], [ended])
            with daemon.events() as events:
                daemon.empty()
                events.wait_for(kind="operation-finished", operation=operation)
            daemon.restart()
            self.assertEqual(daemon.get(f"/v1/operations/{operation}")["state"], "done")

    def test_killed_before_it_was_recorded(self):
        """Recovery finds it done."""
        with Full() as daemon:
            number = daemon.define("vm")
            daemon.define("other")
            with daemon.holding("define", number) as held:
                operation = daemon.nested("vm").json["id"]
                held()
                daemon.fill()
                self.assertTrue(self.exhaust(daemon, lambda: self.toggle(daemon, "other")))
            self.assertEqual(daemon.wait_operation(operation)["state"], "done")
            daemon.kill()
            daemon.empty()
            daemon.start()
            daemon.wait_backend()
            ended = daemon.wait_operation(operation)
            self.assertEqual(ended["state"], "done", ended)
            self.assertIn("interrupted", ended["note"])

    def test_read_only_at_the_start(self):
        daemon = Full()
        self.addCleanup(daemon._clean_up)
        daemon.start()
        daemon.stop()
        before = content(daemon.state / "db")
        daemon.remount("ro")
        with self.assertRaisesRegex(AssertionError, "Read-only file system(.|\n)*next"):
            daemon.start()
        self.assertEqual(content(daemon.state / "db"), before)
        daemon.remount("rw")
        daemon.start()
        self.assertEqual(daemon.stop(), 0)

    def test_full_at_the_start(self):
        daemon = Full()
        self.addCleanup(daemon._clean_up)
        daemon.fill()
        with self.assertRaisesRegex(AssertionError, f"ended with {STORE}:(.|\n)*next"):
            daemon.start()
        daemon.empty()
        daemon.start()
        self.assertEqual(daemon.wait_backend(), "open")
        self.assertEqual(daemon.stop(), 0)


class TestFile(unittest.TestCase):
    """A database that cannot be used: a clear error, and the file is left as it is."""

    def setUp(self):
        self.daemon = Fake()
        self.addCleanup(self.daemon._clean_up)
        self.daemon.start()
        self.daemon.wait_backend()
        self.daemon.define("vm")
        done = self.daemon.change("PUT", "/v1/vms/vm/nested", {"enabled": True})
        self.operation = done["id"]
        self.assertEqual(self.daemon.stop(), 0)
        self.database = self.daemon.state / "db"
        self.file = self.database / "nestd.db"

    def refused(self, word):
        before = content(self.database)
        with self.assertRaises(AssertionError) as caught:
            self.daemon.start()
        said = str(caught.exception)
        self.assertIn(f"ended with {STORE}:", said)
        self.assertIn(str(self.file), said)
        self.assertIn(word, said)
        self.assertIn("next", said)
        self.assertEqual(content(self.database), before)

    def test_damaged_at_the_head(self):
        data = self.file.read_bytes()
        self.file.write_bytes(b"\x00" * 100 + data[100:])
        self.refused("database")
        self.file.write_bytes(data)
        self.daemon.start()
        self.assertEqual(self.daemon.get(f"/v1/operations/{self.operation}")["state"], "done")

    def test_damaged_inside(self):
        data = bytearray(self.file.read_bytes())
        page = int.from_bytes(data[16:18], "big")
        for start in range(page, len(data), page):
            data[start:start + 64] = os.urandom(64)
        self.file.write_bytes(data)
        self.refused("damaged")

    def test_cut(self):
        data = self.file.read_bytes()
        for size in (0, 10, 100, len(data) // 2):
            with self.subTest(size=size):
                self.file.write_bytes(data[:size])
                self.refused("database")

    def test_something_else(self):
        self.file.write_text("a letter to my aunt\n" * 100, encoding="utf-8")
        self.refused("not a database")
        self.file.unlink()
        with sqlite3.connect(self.file) as other:
            other.execute("CREATE TABLE recipe (name TEXT)")
        other.close()
        self.refused("nestd")

    def test_newer(self):
        with sqlite3.connect(self.file) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute(f"PRAGMA user_version = {version + 1}")
        database.close()
        self.refused("newer")
        with sqlite3.connect(self.file) as database:
            database.execute(f"PRAGMA user_version = {version}")
        database.close()
        self.daemon.start()
        self.assertEqual(self.daemon.get(f"/v1/operations/{self.operation}")["state"], "done")

    def test_new_start(self):
        """What the error proposes works: without the file nestd begins anew, VMs untouched."""
        before = self.daemon.host.vm("vm")
        for path in self.database.iterdir():
            path.unlink()
        self.daemon.start()
        self.assertEqual(self.daemon.wait_backend(), "open")
        self.assertEqual(self.daemon.get("/v1/operations")["operations"], [])
        self.assertEqual(self.daemon.host.vm("vm"), before)


if __name__ == "__main__":
    nestd.main()
