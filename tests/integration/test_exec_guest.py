# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands inside a real guest: nestd, libvirt, QEMU and its guest agent as they are."""

import unittest

import nestd
import test_nested
from fake import eventually

BIG = 3000000


class ExecInGuest(test_nested.WithGuest):
    def nestctl(self, *words):
        return self.daemon.nestctl(*words, timeout=test_nested.BOOT_DEADLINE)

    def test_commands(self):
        console = self.create("vm", "idle nest.agent=1")
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0)
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


if __name__ == "__main__":
    nestd.main()
