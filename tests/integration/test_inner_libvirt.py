# SPDX-License-Identifier: LGPL-2.1-or-later
"""A VM inside a real guest that has libvirt: made, started, seen, stopped and deleted by nestctl through the
virsh there, and run by the guest's KVM. With the real nestd, libvirt, QEMU and guest agent."""

import pathlib
import shutil
import sys
import tempfile
import unittest

import nestd
import test_nested
from fake import eventually
from test_inner_guest import PROOF

sys.path.insert(0, str(nestd.SOURCE / "tests" / "guest"))
import with_libvirt  # noqa: E402

# virtlogd writes what the inner VM prints.
START = """mkdir /dev/pts && mount -t devpts devpts /dev/pts &&
/usr/sbin/virtlogd -d && /usr/sbin/libvirtd -d"""


class LibvirtInGuest(test_nested.WithGuest):
    @classmethod
    def setUpClass(cls):
        if (path := with_libvirt.missing()) is not None:
            raise unittest.SkipTest(f"{path} is not there")
        super().setUpClass()
        directory = pathlib.Path(tempfile.mkdtemp(dir=cls.daemon.directory))
        shutil.copy(PROOF, directory / "proof.bin")
        with_libvirt.add_to(cls.daemon.directory / "initrd.img", directory)
        shutil.rmtree(directory)

    def nestctl(self, *words):
        return self.daemon.nestctl(*words, timeout=2 * test_nested.BOOT_DEADLINE)

    def good(self, *words):
        done = self.nestctl(*words)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def virsh(self, *words):
        return self.good("exec", "vm", "--", "virsh", "-c", "qemu:///system", *words)

    def disks(self):
        return self.good("exec", "vm", "--", "ls", "/var/lib/libvirt/images/nestd").split()

    def test_inner_vm(self):
        console = self.create("vm", "idle nest.agent=1", memory_kib=786432, nested=True)
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)
        self.assertIn("libvirt can't be asked: ", self.good("guest", "list", "vm"))
        self.good("exec", "--shell", "vm", "--", START)
        eventually(lambda: "can't be asked" not in self.good("guest", "list", "vm"),
                   test_nested.BOOT_DEADLINE)
        self.assertIn("There are no VMs inside. Hypervisors: libvirt, qemu.",
                      self.nestctl("guest", "list", "vm").stderr)

        said = self.good("guest", "create-vm", "vm", "in", "--memory", "64M", "--kernel",
                         "/proof.bin", "--cmdline", "seed=1234", "--network", "none", "--start")
        self.assertIn("in has been created in vm and started.", said)
        said = eventually(lambda: self.ended(self.good("guest", "console", "vm", "in")),
                          test_nested.BOOT_DEADLINE)
        self.assertIn("nest-proof 1 begin seed=0x1234", said)
        self.assertIn("hypervisor=KVMKVMKVM", said)
        eventually(lambda: "off" in self.good("guest", "list", "vm"), test_nested.BOOT_DEADLINE)
        self.assertEqual(self.virsh("domstate", "in").strip(), "shut off")

        failed = self.nestctl("guest", "create-vm", "vm", "bad", "--memory", "32M", "--kernel",
                              "/no-such-kernel", "--disk", "10M", "--network", "none", "--start")
        self.assertIn("/no-such-kernel", failed.stderr)
        self.assertNotEqual(failed.returncode, 0)
        self.assertEqual(self.virsh("list", "--all", "--name").split(), ["in"])
        self.assertEqual(self.disks(), [])

        # One that finds nothing to boot runs on, and does not hear that it is asked.
        self.good("guest", "create-vm", "vm", "idle", "--memory", "32M", "--vcpus", "2", "--disk",
                  "10M", "--network", "none", "--start")
        self.assertRegex(self.good("tree"), r"vm +running .*32 MiB inside.*\n.* idle +running")
        failed = self.nestctl("guest", "stop", "--timeout", "1", "vm", "idle")
        self.assertIn("idle in vm was asked to shut down and still runs after 1 s", failed.stderr)
        self.good("guest", "stop", "--force", "vm", "idle")
        self.assertEqual(self.virsh("domstate", "idle").strip(), "shut off")
        self.assertRegex(self.good("guest", "list", "vm"),
                         r"idle +off +32 MiB +2 +libvirt\s[^$]*\bin +off +64 MiB +1 +libvirt")
        self.assertEqual(self.disks(), ["idle.qcow2"])
        self.good("guest", "delete", "-y", "vm", "idle")
        self.assertEqual(self.virsh("list", "--all", "--name").split(), ["in"])
        self.assertEqual(self.disks(), [])

    @staticmethod
    def ended(text):
        return text if "nest-proof 1 end" in text else None


if __name__ == "__main__":
    nestd.main()
