# SPDX-License-Identifier: LGPL-2.1-or-later
"""With the real libvirt and QEMU: enable raises a VM's memory above what QEMU can have, so that the
VM does not start any more; nestd takes enable back, and the VM starts as it did before."""

import resource
import subprocess
import unittest

import nestd

GIB = 1 << 30


class TestTooLarge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if b"libasan" in subprocess.run(["ldd", nestd.NESTD], capture_output=True).stdout:
            raise unittest.SkipTest("a sanitizer takes more address space than there would be")
        cls.daemon = cls.enterClassContext(nestd.Daemon())
        cls.daemon.wait_backend(60)

    def change(self, path, body):
        return self.daemon.change("PUT", f"/v1/vms/large/{path}", body)

    def test_taken_back(self):
        created = self.daemon.change("POST", "/v1/vms", {
            "name": "large", "memory_kib": 1 << 20, "vcpus": 1, "network": "none", "accel": "tcg"})
        self.assertEqual(created["state"], "done", created)
        before = self.daemon.get("/v1/vms/large")["revision"]
        enabled = self.change("nested", {"enabled": True})
        self.assertEqual(enabled["state"], "done", enabled)
        self.assertNotEqual(self.daemon.get("/v1/vms/large")["revision"], before)
        # QEMU, which nestd starts, has the memory of the VM and about a gibibyte beside it.
        resource.prlimit(self.daemon.pid, resource.RLIMIT_AS, (4 * GIB, 4 * GIB))
        started = self.change("state", {"state": "running"})
        self.assertEqual(started["state"], "rolled-back", started)
        self.assertIn("annot allocate memory", started["problem"]["detail"])
        self.assertIn("nesting was taken back", started["problem"]["detail"])
        self.assertEqual(self.daemon.get("/v1/vms/large")["revision"], before)
        self.assertEqual(self.change("state", {"state": "running"})["state"], "done")
        self.assertEqual(self.change("state", {"state": "off", "force": True})["state"], "done")


if __name__ == "__main__":
    nestd.main()
