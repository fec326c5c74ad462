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
        eventually(lambda: self.daemon.nestctl("guest", "info", "vm").returncode == 0)

    def verdicts(self, *names):
        report = self.daemon.get("/v1/vms/vm/checks?all=1&guest=1")
        checks = {row["id"]: row for row in report["checks"]}
        return [checks[name]["verdict"] for name in names]

    def test_before_and_after_enabling(self):
        wanted = ("guest.agent", "guest.exec", "guest.os", "guest.cpuflag", "guest.kvm-module",
                  "guest.kvm-dev", "guest.l3", "guest.reboot-pending", "win.build")
        console = self.create("vm", "idle nest.agent=1")
        self.start(console)
        self.assertEqual(self.verdicts(*wanted), [
            "pass", "pass", "pass", "fail", "fail", "fail", "not-applicable", "pass",
            "not-applicable"])

        self.done(self.nested("vm", True))
        self.start(console)
        self.assertEqual(self.verdicts(*wanted), [
            "pass", "pass", "pass", "pass", "pass", "pass", "info", "pass", "not-applicable"])


if __name__ == "__main__":
    nestd.main()
