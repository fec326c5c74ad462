# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is inside a real guest, with nestd, libvirt, QEMU and its agent as they are: before nesting is
enabled, and after."""

import unittest

import nestd
import test_nested
from fake import eventually


class Verified(test_nested.WithGuest):
    def start(self, console):
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.daemon.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)

    def verdicts(self, *names):
        report = self.daemon.get("/v1/vms/vm/checks?all=1&guest=1")
        checks = {row["id"]: row for row in report["checks"]}
        return [checks[name]["verdict"] for name in names]

    def last(self):
        return self.daemon.get("/v1/vms/vm/verification")["verifications"][0]

    def test_before_and_after_enabling(self):
        wanted = ("guest.agent", "guest.exec", "guest.os", "guest.cpuflag", "guest.kvm-module",
                  "guest.kvm-dev", "guest.l3", "guest.reboot-pending", "win.build")
        console = self.create("vm", "idle nest.agent=1")
        self.start(console)
        self.assertEqual(self.verdicts(*wanted), [
            "pass", "pass", "pass", "fail", "fail", "fail", "not-applicable", "pass",
            "not-applicable"])
        done = self.daemon.nestctl("verify", "vm", timeout=test_nested.BOOT_DEADLINE)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("Nesting verified inside vm: NO", done.stdout)
        self.assertIn("the guest has no /dev/kvm (call=open", done.stdout)
        self.assertEqual(self.last()["code"], "no-device")

        self.done(self.nested("vm", True))
        self.assertTrue(self.last()["outdated"])
        self.start(console)
        self.assertEqual(self.verdicts(*wanted), [
            "pass", "pass", "pass", "pass", "pass", "pass", "info", "pass", "not-applicable"])
        done = self.daemon.nestctl("verify", "vm", timeout=test_nested.BOOT_DEADLINE)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("Nesting verified inside vm: YES", done.stdout)
        self.assertRegex(done.stdout, r"an exit to its kernel \(CPUID\) +\S+ .s .*cycles")
        last = self.last()
        self.assertEqual((last["code"], last["extension"], last["outdated"], last["family"]),
                         ("verified", "svm", False, "linux"))
        self.assertEqual([row["result"] for row in last["passes"]], ["ok", "ok"])
        self.assertEqual([row["name"] for row in last["measures"]],
                         ["exit-cpuid", "exit-io", "cpu", "fault", "memory"])
        self.assertIn("verified inside vm: YES", self.daemon.nestctl("show", "vm").stdout)
        done = self.daemon.nestctl("exec", "vm", "--", "sh", "-c", "ls -a /run /tmp | grep probe")
        self.assertEqual((done.returncode, done.stdout), (1, ""), "the program is left behind")
        self.check_noexec()

    def check_noexec(self):
        """No folder of the guest may run programs. What is in them stays in sight: nestd reads there
        what the command prints."""
        done = self.daemon.nestctl(
            "exec", "vm", "--", "sh", "-ec", "for d in /run /tmp /var/tmp /dev/shm; do mkdir -p $d; "
            "mount -o bind $d $d; mount -o remount,bind,noexec $d; done")
        self.assertEqual(done.returncode, 0, done)
        done = self.daemon.nestctl("verify", "vm", timeout=test_nested.BOOT_DEADLINE)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("no folder has room and may run programs", " ".join(done.stdout.split()))
        self.assertEqual(self.last()["code"], "not-run")


if __name__ == "__main__":
    nestd.main()
