# SPDX-License-Identifier: LGPL-2.1-or-later
"""The claim itself: before enable no guest of the guest can run, after enable it does, after
disable it cannot. With the real nestd, libvirt and QEMU, and the real test guest."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import time
import unittest

import nestd

BOOT_DEADLINE = 120


def guest(*options):
    """The directory of the test guest, built where it is not there yet."""
    script = nestd.SOURCE / "tests" / "guest" / "build"
    return pathlib.Path(subprocess.run([script, *options], capture_output=True, text=True, check=True)
                        .stdout.strip())


class Console:
    """What the guest prints, from where the last look ended."""

    def __init__(self, path):
        self.path = path
        self.position = 0

    def wait_for(self, text, timeout=BOOT_DEADLINE):
        """Everything up to and including the line that has text."""
        deadline = time.monotonic() + timeout
        follower = subprocess.Popen(["tail", "-c", f"+{self.position + 1}", "-F", self.path],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seen = b""
        try:
            while (found := re.search(re.escape(text.encode()) + rb"[^\n]*\n", seen)) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([follower.stdout], [], [], left)[0]:
                    raise TimeoutError(f"the guest did not print {text!r}, only {seen!r}")
                seen += os.read(follower.stdout.fileno(), 65536)
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
        # What was read beyond it is for the next look.
        self.position += found.end()
        return seen[:found.end()].decode(errors="replace")


class WithGuest(unittest.TestCase):
    """A nestd that can create VMs with the test guest."""

    guard = {}
    more = {}  # of the configuration
    build_options = ()

    @classmethod
    def setUpClass(cls):
        cls.guest = guest(*cls.build_options)
        cls.daemon = cls.enterClassContext(nestd.Daemon(
            config={"timeouts": {"shutdown": 60}, "guard": cls.guard, **cls.more}))
        # QEMU may be another user, who does not reach the cache.
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(cls.guest / name, cls.daemon.directory)
        cls.daemon.wait_backend(60)

    def create(self, name, then="idle", **more):
        cmdline = (self.guest / "cmdline").read_text(encoding="utf-8").strip()
        body = {
            "name": name, "memory_kib": 262144, "accel": "tcg", "network": "user",
            "kernel": str(self.daemon.directory / "vmlinuz"),
            "initrd": str(self.daemon.directory / "initrd.img"),
            "cmdline": f"{cmdline} nest.then={then}", **more,
        }
        self.done(self.daemon.change("POST", "/v1/vms", body))
        self.addCleanup(self.remove, name)
        return Console(self.daemon.get(f"/v1/vms/{name}")["console_log"])

    def remove(self, name):
        self.daemon.change("PUT", f"/v1/vms/{name}/state",
                           {"state": "off", "force": True, "reason": "the test is over"})
        with contextlib.suppress(AssertionError):
            self.daemon.change("DELETE", f"/v1/vms/{name}")

    def done(self, operation):
        self.assertEqual(operation["state"], "done", operation)

    def state(self, name, state, **more):
        self.done(self.daemon.change("PUT", f"/v1/vms/{name}/state", {"state": state, **more}))

    def nested(self, name, enabled):
        return self.daemon.change("PUT", f"/v1/vms/{name}/nested",
                                  {"enabled": enabled, "decline": ["memory"] if enabled else []})

    def becomes(self, name, activity, timeout=30):
        """Waits until that is what the VM does with its extension."""
        deadline = time.monotonic() + timeout
        while (seen := self.daemon.get(f"/v1/vms/{name}")["activity"]) != activity:
            self.assertLess(time.monotonic(), deadline, f"{name} is {seen}, not {activity}")
            time.sleep(0.05)


class TestNested(WithGuest):
    def test_before_enable_after_disable(self):
        console = self.create("proof", memory_kib=524288, memory_min_kib=262144)
        self.state("proof", "running")
        said = console.wait_for("nest-guest: ready")
        self.assertIn("extension none", said)
        self.assertIn("inner-guest FAILED", said)
        self.assertFalse(self.daemon.get("/v1/vms/proof")["supports"])
        self.becomes("proof", "off")

        self.done(self.nested("proof", True))
        self.assertEqual(self.daemon.get("/v1/vms/proof")["state"], "off")
        self.state("proof", "running")
        said = console.wait_for("nest-guest: ready")
        self.assertIn("extension svm", said)
        self.assertIn("inner-guest OK sum=5050", said)
        self.assertTrue(self.daemon.get("/v1/vms/proof")["supports"])
        self.becomes("proof", "unknown")  # no statistics with QEMU's CPU, no registers without leave
        self.assertIsNone(self.nested("proof", True))
        given = self.daemon.get("/v1/vms/proof")["given"]
        self.assertEqual((given["extension"], given["presence"], given["witness"], given["flaw"]),
                         ("svm", "present", "libvirt", "none"))
        self.assertLess(abs(given["since"] / 1000 - time.time()), 2 * BOOT_DEADLINE)

        self.done(self.nested("proof", False))
        self.state("proof", "running")
        given = self.daemon.get("/v1/vms/proof")["given"]
        self.assertEqual((given["presence"], given["flaw"]), ("absent", "none"))
        said = console.wait_for("nest-guest: ready")
        self.assertIn("extension none", said)
        self.assertIn("inner-guest FAILED", said)

    def test_saved_state_is_given_up(self):
        console = self.create("sleeper")
        self.state("sleeper", "running")
        console.wait_for("nest-guest: ready")
        self.state("sleeper", "saved")
        self.assertGreater(self.daemon.get("/v1/vms/sleeper")["saved_bytes"], 1 << 20)
        self.done(self.nested("sleeper", True))
        self.assertEqual(self.daemon.get("/v1/vms/sleeper")["state"], "off")
        self.state("sleeper", "running")
        self.assertIn("inner-guest OK", console.wait_for("nest-guest: ready"))
        answer = self.daemon.request("PUT", "/v1/vms/sleeper/state", {"state": "saved"})
        self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-state"))

    def test_saved_without_nesting_resumes(self):
        console = self.create("dreamer")
        self.state("dreamer", "running")
        console.wait_for("nest-guest: ready")
        self.state("dreamer", "saved")
        # Who saved it is known, so nothing is to be warned of.
        path = "/v1/vms/dreamer/state"
        resumed = self.daemon.change("PUT", path, {"state": "running", "restore": True})
        self.assertEqual((resumed["state"], resumed["note"]), ("done", None), resumed)
        self.state("dreamer", "off")
        self.assertIn("power button", console.wait_for("power button"))

    def test_guest_that_does_not_listen_is_powered_off(self):
        console = self.create("deaf", then="idle nest.ignore-acpi=1")
        self.state("deaf", "running")
        console.wait_for("nest-guest: ready")
        operation = self.daemon.change("PUT", "/v1/vms/deaf/state", {"state": "off", "timeout": 2})
        self.assertEqual(operation["problem"]["kind"], "timeout", operation)
        self.assertEqual(self.daemon.get("/v1/vms/deaf")["state"], "running")
        self.state("deaf", "off", force=True)

    def test_vms_outlive_nestd(self):
        console = self.create("survivor", nested=True)
        self.state("survivor", "running")
        console.wait_for("nest-guest: ready")
        pids = self.daemon.qemu_pids()
        for number in (signal.SIGKILL, signal.SIGTERM):
            self.daemon.restart(number)
            self.assertEqual(self.daemon.wait_backend(60), "open")
            self.assertEqual(self.daemon.get("/v1/vms/survivor")["state"], "running")
            self.assertEqual(self.daemon.qemu_pids(), pids)
        self.state("survivor", "off")

    def test_qemu_that_died_meanwhile_is_noticed(self):
        console = self.create("mortal")
        self.state("mortal", "running")
        console.wait_for("nest-guest: ready")
        with self.daemon.events() as events:
            for pid in self.daemon.qemu_pids():
                os.kill(pid, signal.SIGKILL)
            events.wait_for(kind="vm-stopped", name="mortal")
        self.state("mortal", "running")
        console.wait_for("nest-guest: ready")


class TestRegisters(WithGuest):
    """With leave to use the monitor, which is the only thing that tells with QEMU's CPU."""

    guard = {"sample": 1, "monitor": "yes"}

    def save(self, name):
        return self.daemon.request("PUT", f"/v1/vms/{name}/state", {"state": "saved"})

    def test_save_while_nothing_is_open_inside(self):
        console = self.create("quiet", nested=True)
        self.state("quiet", "running")
        self.assertIn("inner-guest OK", console.wait_for("nest-guest: ready"))
        self.becomes("quiet", "exposed")
        self.state("quiet", "saved")
        self.state("quiet", "running")
        self.becomes("quiet", "exposed")
        self.state("quiet", "off")
        self.assertIn("power button", console.wait_for("power button"))

    def test_no_save_while_an_inner_vm_is_there(self):
        for then, says in (("hold", "inner-guest held"), ("spin", "inner-guest spinning")):
            with self.subTest(then):
                console = self.create(then, then=then, nested=True)
                self.state(then, "running")
                console.wait_for(says)
                self.becomes(then, "armed")
                answer = self.save(then)
                self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-state"), answer)
                self.assertEqual(self.daemon.get(f"/v1/vms/{then}")["state"], "running")
                self.daemon.change("PUT", f"/v1/vms/{then}/state",
                                   {"state": "off", "force": True, "reason": "the test is over"})
                self.becomes(then, "none")


if __name__ == "__main__":
    nestd.main()
