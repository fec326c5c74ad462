# SPDX-License-Identifier: LGPL-2.1-or-later
"""The limits of a VM that nests, on a real one: each is refused with its reason while an inner VM
runs in it, and done where it is safe. With the real nestd, libvirt and QEMU, and the test guest."""

import contextlib
import json
import shutil
import subprocess
import unittest

import nestd
from test_nested import Console, guest

FORCE = {"force": True, "reason": "the test is over"}


class Guarded(unittest.TestCase):
    guard = {}

    @classmethod
    def setUpClass(cls):
        cls.guest = guest()
        config = {"timeouts": {"shutdown": 60}, "guard": cls.guard}
        cls.daemon = cls.enterClassContext(nestd.Daemon(config=config))
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(cls.guest / name, cls.daemon.directory)
        cls.daemon.wait_backend(60)

    def boot(self, name, then, **more):
        cmdline = (self.guest / "cmdline").read_text(encoding="utf-8").strip()
        self.done("POST", "/v1/vms", {
            "name": name, "memory_kib": 262144, "accel": "tcg", "network": "none",
            "disk_bytes": 64 << 20, "kernel": str(self.daemon.directory / "vmlinuz"),
            "initrd": str(self.daemon.directory / "initrd.img"),
            "cmdline": f"{cmdline} nest.then={then}", **more})
        self.addCleanup(self.remove, name)
        self.done("PUT", f"/v1/vms/{name}/state", {"state": "running"})
        console = Console(self.daemon.get(f"/v1/vms/{name}")["console_log"])
        console.wait_for("nest-guest: ready")
        return console

    def remove(self, name):
        self.daemon.change("PUT", f"/v1/vms/{name}/state", {"state": "off", **FORCE})
        for checkpoint in self.daemon.get(f"/v1/vms/{name}/checkpoints")["checkpoints"]:
            self.daemon.change("DELETE", f"/v1/vms/{name}/checkpoints/{checkpoint['name']}")
        with contextlib.suppress(AssertionError):
            self.daemon.change("DELETE", f"/v1/vms/{name}")

    def done(self, method, path, body=None):
        operation = self.daemon.change(method, path, body)
        self.assertEqual(operation["state"], "done", operation)
        return operation

    def refused(self, method, path, says, body):
        answer = self.daemon.request(method, path, body)
        self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-state"), answer)
        self.assertIn(says, answer.json["detail"])
        self.assertIn("nestctl", answer.json["next"])


class TestAsked(Guarded):
    """What it does with its extension is asked of QEMU."""

    guard = {"monitor": "yes"}

    def test_refused_while_it_hosts(self):
        path = "/v1/vms/host"
        console = self.boot("host", "spin", nested=True)
        console.wait_for("inner-guest spinning")
        pids = self.daemon.qemu_pids()
        lost = ": the state of the VMs inside would be lost"
        self.refused("PUT", f"{path}/state", lost, {"state": "saved"})
        self.refused("PUT", f"{path}/state", lost, {"state": "saved", **FORCE})
        self.refused("POST", f"{path}/checkpoints", lost, {"name": "no"})
        self.refused("PUT", f"{path}/memory", "can't be given more or less memory while",
                     {"memory_kib": 131072})
        self.refused("POST", f"{path}/migration", lost, {"to": "qemu+ssh://other/system", **FORCE})
        vm = self.daemon.get(path)
        self.assertEqual((vm["state"], vm["snapshots"], vm["saved_state"]), ("running", 0, False))
        self.assertEqual(self.daemon.qemu_pids(), pids)

    def test_disks_alone_while_it_hosts(self):
        """The disks are kept while the inner VM runs on, and put back when all is off."""
        path = "/v1/vms/disks"
        console = self.boot("disks", "spin", nested=True)
        console.wait_for("inner-guest spinning")
        pids = self.daemon.qemu_pids()
        self.done("POST", f"{path}/checkpoints", {"name": "d", "disk_only": True})
        self.assertEqual(self.daemon.qemu_pids(), pids)
        self.assertEqual(self.daemon.get(path)["state"], "running")
        found = self.daemon.get(f"{path}/checkpoints")["checkpoints"]
        self.assertEqual([(c["name"], c["memory"], c["current"], c["unfinished"]) for c in found],
                         [("d", False, True, False)])
        image = self.daemon.state / "disks" / f"{self.daemon.get(path)['uuid']}.qcow2"
        self.assertEqual(self.kept(image), ["d"])
        self.done("POST", f"{path}/checkpoints", {"name": "e", "disk_only": True})
        self.done("DELETE", f"{path}/checkpoints/e")
        self.assertEqual(self.kept(image), ["d"])
        self.done("PUT", f"{path}/state", {"state": "off", **FORCE})
        self.done("PUT", f"{path}/checkpoints/d", {})
        self.done("DELETE", f"{path}/checkpoints/d")
        self.assertEqual(self.kept(image), [])

    @staticmethod
    def kept(image):
        """The names of what is kept within an image."""
        told = subprocess.run(["qemu-img", "info", "-U", "--output=json", image],
                              capture_output=True, check=True, text=True)
        return [one["name"] for one in json.loads(told.stdout).get("snapshots", [])]

    def test_checkpoint_is_not_put_back_while_it_hosts(self):
        path = "/v1/vms/back"
        cmdline = (self.guest / "cmdline").read_text(encoding="utf-8").strip()
        self.done("POST", "/v1/vms", {
            "name": "back", "memory_kib": 262144, "accel": "tcg", "network": "none",
            "disk_bytes": 64 << 20, "kernel": str(self.daemon.directory / "vmlinuz"),
            "initrd": str(self.daemon.directory / "initrd.img"), "nested": True,
            "cmdline": f"{cmdline} nest.then=spin"})
        self.addCleanup(self.remove, "back")
        self.done("POST", f"{path}/checkpoints", {"name": "before"})
        self.done("PUT", f"{path}/state", {"state": "running"})
        console = Console(self.daemon.get(path)["console_log"])
        console.wait_for("inner-guest spinning")
        self.refused("PUT", f"{path}/checkpoints/before", "can't be put back to a checkpoint", {})
        self.assertEqual(self.daemon.get(path)["state"], "running")
        forced = self.done("PUT", f"{path}/checkpoints/before", FORCE)
        self.assertIn("guard.apply was overridden", forced["note"])
        self.assertEqual(self.daemon.get(path)["state"], "off")

    def test_done_where_it_is_safe(self):
        """All of it, on a VM without the extension, and it runs on each time."""
        path = "/v1/vms/plain"
        console = self.boot("plain", "idle", memory_min_kib=196608)
        self.done("POST", f"{path}/restart", {})
        console.wait_for("nest-guest: ready")
        self.done("POST", f"{path}/restart", {"reset": True})
        console.wait_for("nest-guest: ready")
        self.done("PUT", f"{path}/memory", {"memory_kib": 131072})
        self.done("PUT", f"{path}/state", {"state": "paused"})
        self.done("PUT", f"{path}/state", {"state": "running"})
        self.done("POST", f"{path}/checkpoints", {"name": "ran"})
        self.done("PUT", f"{path}/checkpoints/ran", {})
        self.assertEqual(self.daemon.get(path)["state"], "running")
        self.done("PUT", f"{path}/state", {"state": "saved"})
        self.done("PUT", f"{path}/state", {"state": "running"})
        self.done("PUT", f"{path}/state", {"state": "off"})
        self.done("PUT", f"{path}/memory", {"memory_kib": 327680})
        self.assertEqual(self.daemon.get(path)["memory_kib"], 327680)


class TestNotAsked(Guarded):
    """QEMU's software CPU counts nothing: a VM that nests may host."""

    def test_reset(self):
        path = "/v1/vms/reset"
        console = self.boot("reset", "spin", nested=True)
        console.wait_for("inner-guest spinning")
        self.refused("POST", f"{path}/restart", "can't be reset while it may host other VMs",
                     {"reset": True})
        pids = self.daemon.qemu_pids()
        forced = self.done("POST", f"{path}/restart", {"reset": True, **FORCE})
        self.assertIn("guard.reset was overridden", forced["note"])
        console.wait_for("inner-guest spinning")
        self.assertEqual(self.daemon.qemu_pids(), pids)


if __name__ == "__main__":
    nestd.main()
