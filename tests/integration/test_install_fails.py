# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hypervisors installed in guests, on bad days: what is run fails, is locked, ends too early or never,
and guests and nestd go away in the middle."""

import unittest

import nestd
import test_install
from fake import eventually
from test_install import DEB_PACKAGES, PATH

from nest_agent import HANG


class BadDays(test_install.Install):
    def fails(self, program, script, says):
        guest = self.system()
        guest.play(program, script)
        operation = self.install()
        self.assertEqual(operation["state"], "failed", operation)
        self.assertIn(says, operation["problem"]["detail"])
        self.assertIn("stays", operation["note"])
        self.assertEqual(operation["steps"][-1]["state"], "skipped")
        return guest, operation

    def test_the_package_manager_fails(self):
        self.enter()
        guest, operation = self.fails(
            "apt-get", "echo E: Unable to locate package qemu-system-x86 >&2; exit 100",
            "status 100 in the guest: E: Unable to locate package")
        self.assertEqual(operation["problem"]["kind"], "vm-unfit")
        guest.play("apt-get", "")
        self.assertEqual(self.install()["state"], "done")

    def test_locked(self):
        self.enter()
        self.fails("apt-get", "echo 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by "
                   "process 77 (apt-get)'; exit 100", "lock-frontend")

    def test_no_room_in_the_middle(self):
        self.enter()
        self.fails("apt-get", "head=x; echo 'No space left on device'; exit 100",
                   "No space left on device")

    def test_much_is_said(self):
        self.enter()
        _, operation = self.fails(
            "apt-get", 'i=0; while [ $i -lt 5000 ]; do echo "line $i \033[31m"; i=$((i+1)); done; '
            'exit 1', "line 4999")
        self.assertLess(len(operation["problem"]["detail"]), 1000)

    def test_it_says_that_it_went_well(self):
        self.enter()
        guest = self.system()
        guest.play("apt-get", "exit 0")
        operation = self.install()
        self.assertEqual((operation["state"], operation["problem"]["kind"]),
                         ("failed", "not-verified"))

    def test_broken_off_before(self):
        """What dpkg was interrupted in is finished first."""
        self.enter()
        guest = self.system()
        guest.play("dpkg", "[ -e /state/mended ] || case $1 in --audit) echo half ;; --configure) "
                   "touch /state/mended ;; esac; exit 0")
        self.assertEqual(self.install()["state"], "done")
        self.assertTrue((guest.root / "state" / "mended").exists())

    def under_way(self, guest):
        guest.play("apt-get", 'case $* in *install*) touch /state/begun; exec sleep 600 ;; esac')
        answer = self.daemon.request("PUT", PATH, {})
        self.assertEqual(answer.status, 202, answer)
        eventually((guest.root / "state" / "begun").exists)
        return answer.json["id"]

    def test_abort(self):
        self.enter()
        guest = self.system()
        number = self.under_way(guest)
        busy = self.daemon.request("PUT", PATH, {})
        self.assertEqual((busy.status, busy.json["kind"]), (409, "vm-busy"))
        self.daemon.request("DELETE", f"/v1/operations/{number}")
        operation = self.daemon.wait_operation(number)
        self.assertEqual((operation["state"], operation["problem"]["kind"]), ("failed", "aborted"))
        self.assertIn("stays", operation["note"])
        self.assertEqual([process.poll() for process in guest.processes.values()
                          if process.poll() is None], [])

    def test_powered_off_in_the_middle(self):
        self.enter()
        guest = self.system()
        number = self.under_way(guest)
        self.daemon.host.stop("vm")
        operation = self.daemon.wait_operation(number)
        self.assertEqual((operation["state"], operation["problem"]["kind"]), ("failed", "vm-state"))

    def test_killed_in_the_middle(self):
        self.enter()
        guest = self.system()
        number = self.under_way(guest)
        self.daemon.kill()
        self.daemon.start()
        operation = self.daemon.wait_operation(number)
        self.assertEqual((operation["state"], operation["problem"]["kind"]),
                         ("failed", "interrupted"))
        self.assertIn("may still be", operation["note"])
        self.assertEqual(len(guest.calls("apt-get -q")), 2)

    def test_killed_and_done_meanwhile(self):
        self.enter()
        guest = self.system()
        number = self.under_way(guest)
        self.daemon.kill()
        for package in DEB_PACKAGES:
            guest.write(f"state/packages/{package}", "")
        guest.write("state/enabled/libvirtd.service", "")
        guest.load_kvm()
        self.daemon.start()
        self.assertEqual(self.daemon.wait_operation(number)["state"], "done")

    def test_never_back(self):
        self.enter()
        guest = self.enterContext(self.windows())

        def instead(command, arguments):
            return HANG if guest.restarts() else None
        guest.instead = instead
        operation = self.install(reboot=True)
        self.assertEqual((operation["state"], operation["problem"]["kind"]), ("failed", "timeout"))
        self.assertIn("agent does not answer", operation["problem"]["detail"])

    def test_back_and_away_once_more(self):
        """Windows restarts twice where Hyper-V is switched on: its agent comes, and goes again."""
        self.daemon.config["timeouts"]["boot"] = "30"
        self.enter()
        guest = self.enterContext(self.windows())
        asked = []

        def instead(command, arguments):
            if not guest.restarts() or command == "guest-ping":
                return None
            asked.append(command)
            return b"{" if len(asked) <= 3 else None
        guest.instead = instead
        operation = self.install(reboot=True)
        self.assertEqual(operation["state"], "done", operation)
        self.assertGreater(len(asked), 3)

    def test_back_and_not_as_it_should(self):
        self.enter()
        guest = self.enterContext(self.windows())
        guest.restarted = 100
        operation = self.install(reboot=True)
        self.assertEqual((operation["state"], operation["problem"]["kind"]),
                         ("failed", "not-verified"))
        self.assertIn("waits for a restart", operation["problem"]["detail"])


if __name__ == "__main__":
    nestd.main()
