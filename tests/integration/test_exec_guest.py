# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands inside a real guest: nestd, libvirt, QEMU and its guest agent as they are."""

import json
import subprocess
import unittest

import nestd
import test_nested
from fake import eventually

BIG = 3000000
HALF = 100000
FILE = "a-file"


class ExecInGuest(test_nested.WithGuest):
    def nestctl(self, *words):
        return self.daemon.nestctl(*words, timeout=test_nested.BOOT_DEADLINE)

    def test_commands(self):
        console = self.create("vm", "idle nest.agent=1")
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)
        info = self.nestctl("guest", "info", "vm")
        self.assertRegex(info.stdout, r"family +linux\n", info)
        done = self.nestctl("exec", "--env", "A=1", "--cwd", "/proc", "vm", "--", "sh", "-c",
                            "echo $A $PWD; echo error >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (7, "1 /proc\n", "error\n"), done)
        done = self.nestctl("exec", "vm", "--", "sh", "-c", f"yes | head -c {BIG}")
        self.assertEqual((done.returncode, done.stdout), (0, "y\n" * (BIG // 2)))
        done = self.nestctl("exec", "vm", "--", "ls", "-a", "/tmp")
        self.assertEqual(done.stdout.count(".nestd-"), 1, done)
        done = self.nestctl("exec", "vm", "--", "poweroff", "-f")
        self.assertEqual(done.returncode, 7, done)
        done = self.nestctl("guest", "list", "vm")
        self.assertEqual(done.returncode, 7, done)
        self.assertIn("next  nestctl start vm", done.stderr)

    def begin_command(self):
        process = subprocess.Popen(
            [nestd.NESTCTL, "--socket", self.daemon.socket, "exec", "vm", "--", "sh", "-c",
             "echo begun; exec sleep 1000"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "begun\n")
        return process

    def begin_push(self):
        """A file of which the half has come, and which has begun there."""
        connection = nestd.Connection(self.daemon.socket, test_nested.BOOT_DEADLINE)
        self.addCleanup(connection.close)
        connection.putrequest("PUT", "/v1/vms/vm/file?path=/" + FILE)
        connection.putheader("Content-Length", str(2 * HALF))
        connection.endheaders(bytes(HALF))
        eventually(lambda: "part" in self.there(), test_nested.BOOT_DEADLINE)
        return connection

    def there(self):
        """What there is of the file that is put."""
        names = self.nestctl("exec", "vm", "--", "ls", "-A", "/").stdout.split()
        return {"part" if name.startswith(".nestd-") else "file" for name in names
                if name == FILE or name.startswith(".nestd-")}

    def wait_cleared(self, count):
        eventually(lambda: sum(event["kind"] == "guest-cleared" for event in self.daemon.get(
            "/v1/events?follow=0&after=0")["events"]) >= count, test_nested.BOOT_DEADLINE)

    def assert_ended(self, process):
        _, said = process.communicate(timeout=test_nested.BOOT_DEADLINE)
        self.assertEqual(process.returncode, 7, said)
        self.assertIn("does not run", said)

    def assert_refused(self, connection):
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        self.assertEqual((answer.status, problem["kind"]), (409, "vm-state"), problem)
        self.assertIn(".nestd-", problem["detail"])

    def test_the_guest_ends(self):
        """In the middle of a command, and of a file: paused, then off."""
        console = self.create("vm", "idle nest.agent=1")
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)
        process = self.begin_command()
        connection = self.begin_push()
        self.state("vm", "paused")
        self.assert_ended(process)
        connection.send(bytes(HALF))
        self.assert_refused(connection)
        self.state("vm", "running")
        self.wait_cleared(2)
        self.assertEqual(self.there(), set())
        done = self.nestctl("exec", "vm", "--", "sh", "-c", "ps | grep -c '[s]leep 1000'")
        self.assertEqual(done.stdout, "0\n", done)
        process = self.begin_command()
        connection = self.begin_push()
        self.state("vm", "off", force=True, reason="it is pulled")
        self.assert_ended(process)
        connection.send(bytes(HALF))
        self.assert_refused(connection)


if __name__ == "__main__":
    nestd.main()
