# SPDX-License-Identifier: LGPL-2.1-or-later
"""A VM inside a real guest: made, started, seen and stopped by nestctl, and run by the guest's KVM.
With the real nestd, libvirt, QEMU and guest agent."""

import os
import pathlib

import nestd
import test_nested
from fake import eventually

PROOF = pathlib.Path(os.environ["NEST_BUILD_DIR"]) / "hypervisor-backend/proof/nest-proof.bin"


class InnerInGuest(test_nested.WithGuest):
    build_options = ("--qemu",)

    def nestctl(self, *words):
        return self.daemon.nestctl(*words, timeout=test_nested.BOOT_DEADLINE)

    def good(self, *words):
        done = self.nestctl(*words)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_inner_vm(self):
        console = self.create("vm", "idle nest.agent=1", memory_kib=786432, nested=True)
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)
        self.assertIn("There are no VMs inside. Hypervisors: qemu.",
                      self.nestctl("guest", "list", "vm").stderr)
        self.good("exec", "--input", PROOF, "vm", "--", "sh", "-c", "cat >/proof.bin")

        said = self.good("guest", "create-vm", "vm", "in", "--memory", "64M", "--kernel",
                         "/proof.bin", "--cmdline", "seed=1234", "--network", "none", "--start")
        self.assertIn("in has been created in vm and started.", said)
        said = eventually(lambda: self.ended(self.good("guest", "console", "vm", "in")),
                          test_nested.BOOT_DEADLINE)
        self.assertIn("nest-proof 1 begin seed=0x1234", said)
        self.assertIn("hypervisor=KVMKVMKVM", said)
        eventually(lambda: "off" in self.good("guest", "list", "vm"), test_nested.BOOT_DEADLINE)

        # One that finds nothing to boot runs on.
        self.good("guest", "create-vm", "vm", "idle", "--memory", "32M", "--disk", "10M", "--start")
        said = self.good("exec", "vm", "--", "ls", "/var/lib/nestd-inner/idle")
        self.assertIn("disk.qcow2", said)
        self.assertRegex(self.good("guest", "list", "vm"), r"idle +running +32 MiB +1 +qemu")
        self.assertRegex(self.good("tree"), r"vm +running .*32 MiB inside.*\n.* idle +running")
        self.assertIn("idle in vm is running already.", self.good("guest", "start", "vm", "idle"))
        # What finds nothing to boot hears of the power button, and does not know what that is.
        failed = self.nestctl("guest", "stop", "--timeout", "1", "vm", "idle")
        self.assertIn("idle in vm was asked to shut down and still runs after 1 s", failed.stderr)
        said = ""
        while '"event": "POWERDOWN"' not in said:  # each look waits until there is more
            said += self.good("exec", "vm", "--", "dd",
                              "if=/var/lib/nestd-inner/idle/monitor.out", "bs=64k", "count=1")
        self.good("guest", "stop", "--force", "vm", "idle")
        self.assertRegex(self.good("guest", "list", "vm"), r"idle +off ")
        self.assertEqual(self.nestctl("exec", "vm", "--", "pidof", "qemu-system-x86_64").returncode,
                         1)
        self.good("guest", "start", "vm", "idle")
        self.assertRegex(self.good("guest", "list", "vm"), r"idle +running ")

        failed = self.nestctl("guest", "delete", "-y", "vm", "idle")
        self.assertIn("can't be deleted before it is off", failed.stderr)
        failed = self.nestctl("guest", "create-vm", "vm", "bad", "--memory", "32M", "--kernel",
                              "/no-such-kernel", "--start")
        self.assertIn("/no-such-kernel", failed.stderr)
        self.assertNotEqual(failed.returncode, 0)
        self.assertEqual(self.good("exec", "vm", "--", "ls", "/var/lib/nestd-inner").split(),
                         ["idle", "in"])
        self.good("guest", "delete", "-y", "vm", "in")
        self.assertEqual(self.good("exec", "vm", "--", "ls", "/var/lib/nestd-inner").split(),
                         ["idle"])

    @staticmethod
    def ended(text):
        return text if "nest-proof 1 end" in text else None


if __name__ == "__main__":
    nestd.main()
