# SPDX-License-Identifier: LGPL-2.1-or-later
"""Migration between two real libvirtds, private ones, with real QEMUs: by the real nestd, whose
libvirtd is the one."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import unittest
import uuid

import nestd
import private_mounts
from fake import eventually
from test_libvirtd import HIDDEN, PREFIX, SYSTEM, Libvirtd, guests

THERE = pathlib.Path("/mnt/there")
TO = f"qemu+unix:///system?socket={THERE}/libvirt-sock"
# Its directories are its own, but for the one with its socket.
START = ("for path in /run /var/lib /var/cache /var/log; do mount -t tmpfs none $path; done; "
         f"exec libvirtd -f {THERE}/libvirtd.conf -p {THERE}/pid")


class There:
    """The other libvirtd: another host, as far as the first one knows."""

    def __init__(self):
        THERE.mkdir()
        (THERE / "libvirtd.conf").write_text(
            f'auth_unix_rw = "none"\nunix_sock_dir = "{THERE}"\nhost_uuid = "{uuid.uuid4()}"\n')
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", START], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: self.run("list").returncode == 0)

    @staticmethod
    def run(*words):
        return subprocess.run(["virsh", "-q", "-c", TO, *words], capture_output=True, text=True,
                              check=False, timeout=60)

    def state(self, name):
        return self.run("domstate", name).stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait(nestd.STOP_DEADLINE)


class TestMigrated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not all(map(shutil.which, ("libvirtd", "virsh", "qemu-system-x86_64"))):
            raise unittest.SkipTest("there is no libvirtd, virsh or QEMU")
        if not pathlib.Path("/etc/libvirt").is_dir():
            raise unittest.SkipTest("libvirt is not configured here")
        private_mounts.enter(HIDDEN)
        cls.addClassCleanup(cls.clean_up)
        cls.libvirtd = Libvirtd()
        # Two QEMUs of one name are on this host meanwhile.
        with open("/etc/libvirt/qemu.conf", "a", encoding="utf-8") as configuration:
            configuration.write("cgroup_controllers = []\n")
        cls.libvirtd.start()
        cls.there = There()
        cls.daemon = cls.enterClassContext(
            nestd.Daemon(nestd.NESTD, {"backend": {"uri": SYSTEM}, "timeouts": {"reply": 5}}))
        cls.daemon.wait_backend()

    @classmethod
    def clean_up(cls):
        with contextlib.suppress(AttributeError):
            cls.there.kill()
        cls.libvirtd.kill()
        for pid in guests():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def define(self, name, running=False):
        self.libvirtd.define(name, running=running)  # it can't host others
        eventually(lambda: self.daemon.request("GET", f"/v1/vms/{name}").status == 200)

    def ended(self, name, state, daemon=None, **body):
        operation = (daemon or self.daemon).change(
            "POST", f"/v1/vms/{name}/migration", {"to": TO, **body})
        self.assertEqual(operation["state"], state, operation)
        return operation

    def here(self, name):
        return name in self.libvirtd.virsh("list", "--all", "--name").split()

    def test_while_it_runs(self):
        name = PREFIX + "m"
        self.define(name, running=True)
        self.ended(name, "done")
        self.assertFalse(self.here(name))
        self.assertEqual(self.daemon.request("GET", f"/v1/vms/{name}").status, 404)
        self.assertEqual(self.there.state(name), "running")
        self.there.run("destroy", name)
        self.assertEqual(self.there.state(name), "shut off")

    def test_while_it_is_off(self):
        name = PREFIX + "o"
        self.define(name)
        self.ended(name, "done", offline=True)
        self.assertFalse(self.here(name))
        self.assertEqual(self.there.state(name), "shut off")

    def test_nobody_there(self):
        name = PREFIX + "n"
        self.define(name, running=True)
        operation = self.ended(name, "rolled-back", to=f"qemu+unix:///system?socket={THERE}/none")
        self.assertIn("Cannot migrate", operation["problem"]["detail"])
        self.assertEqual(self.daemon.get(f"/v1/vms/{name}")["state"], "running")

    def test_aborted(self):
        """The other libvirtd does not answer any more; the VM runs on here."""
        name = PREFIX + "s"
        self.define(name, running=True)
        self.there.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.there.process.send_signal, signal.SIGCONT)
        answer = self.daemon.request("POST", f"/v1/vms/{name}/migration", {"to": TO})
        self.assertEqual(answer.status, 202, answer)
        path = f"/v1/operations/{answer.json['id']}"
        # What has not begun has nothing to stop.
        eventually(lambda: "None" not in self.libvirtd.virsh("domjobinfo", name))
        self.daemon.request("DELETE", path)
        self.there.process.send_signal(signal.SIGCONT)
        ended = self.daemon.wait_operation(answer.json["id"])
        self.assertEqual(ended["state"], "aborted", ended)
        self.assertEqual(self.daemon.get(f"/v1/vms/{name}")["state"], "running")
        self.assertEqual(self.there.state(name), "")

    def test_of_nestd_itself(self):
        """What it runs within itself moves while it is off."""
        with nestd.Daemon(nestd.NESTD, {"backend": {"uri": "embed"}}) as daemon:
            daemon.wait_backend()
            name = PREFIX + "e"
            daemon.change("POST", "/v1/vms", {
                "name": name, "memory_kib": 65536, "accel": "tcg", "network": "none"})
            daemon.change("PUT", f"/v1/vms/{name}/state", {"state": "running"})
            operation = self.ended(name, "rolled-back", daemon)
            self.assertEqual(operation["problem"]["kind"], "unsupported")
            daemon.change("PUT", f"/v1/vms/{name}/state", {"state": "off", "force": True})
            self.ended(name, "done", daemon, offline=True)
            self.assertEqual(self.there.state(name), "shut off")


if __name__ == "__main__":
    nestd.main()
