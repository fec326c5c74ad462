# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files into a real guest and out of it: nestd, libvirt, QEMU and its guest agent as they are."""

import os
import pathlib
import tempfile
import unittest

import nestd
import test_nested
from fake import eventually

SIZE = 200000  # an emulated CPU takes its time


class FilesInGuest(test_nested.WithGuest):
    def nestctl(self, *words):
        return self.daemon.nestctl(*words, timeout=test_nested.BOOT_DEADLINE)

    def test_files(self):
        console = self.create("vm", "idle nest.agent=1")
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        there, back = folder / "there", folder / "back"
        there.write_bytes(os.urandom(SIZE))
        there.chmod(0o750)
        done = self.nestctl("guest", "push", "--mode", "keep", "vm", there, "/tmp/")
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"/tmp/there: 195.3 KiB written; the guest says the same")
        done = self.nestctl("guest", "pull", "--mode", "keep", "vm", "/tmp/there", back)
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(back.read_bytes() == there.read_bytes())
        done = self.nestctl("exec", "vm", "--", "ls", "-lA", "/tmp")
        self.assertNotIn(".nestd-0", done.stdout)
        self.assertIn("-rwxr-x---", done.stdout)
        done = self.nestctl("guest", "push", "vm", there, "/no/such/folder")
        self.assertIn("there is no folder /no/such", done.stderr)
        done = self.nestctl("guest", "pull", "vm", "/no/such/file", back)
        self.assertIn("No such file", done.stderr)


if __name__ == "__main__":
    nestd.main()
