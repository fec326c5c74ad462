#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A power cut: the file system of nestd's state is shut down, without flushing, under a nestd that
creates and deletes VMs. What a client was told to be done until then has to be done after it, and
the disks of VMs that were told to be there are whole."""

import os
import shutil
import subprocess
import sys
import threading

from daemon_faults import BROKEN, FaultyFake, Judge, need_preloading, nestd, skip

PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
ROUNDS = (3, 8, 15)  # operations before the cut
DISK = 8 << 20


def need_power():
    for tool in ("mkfs.ext4", "xfs_io"):
        if shutil.which(tool, path=PATH) is None:
            skip(f"{tool} is not installed")
    if os.environ.get("NEST_OWN_MOUNTS") != "1":
        probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                               capture_output=True, text=True)
        if probe.returncode != 0:
            skip(f"mounting is not permitted here: {probe.stderr.strip()}")
        os.environ["NEST_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


class Client(threading.Thread):
    """Creates VMs, and deletes every third, until nobody answers; notes what it is told."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.connected = daemon
        self.told = {}  # id of operation -> (kind, name, state)
        self.more = threading.Condition()
        self.cut = False

    def run(self):
        number = 0
        try:
            while not self.cut:
                number += 1
                name = f"vm-{number}"
                self.change("create", name, "POST", "/v1/vms", {
                    "name": name, "memory_kib": 65536, "disk_bytes": DISK, "network": "none"})
                if number % 3 == 0:
                    self.change("delete", name, "DELETE", f"/v1/vms/{name}")
        except (AssertionError, *BROKEN):
            if not self.cut:
                raise

    def change(self, kind, name, method, path, body=None):
        operation = self.connected.change(method, path, body)
        with self.more:
            # What is told while the power goes is told by nobody.
            if not self.cut:
                self.told[operation["id"]] = (kind, name, operation["state"])
                self.more.notify_all()

    def wait_for(self, count):
        with self.more:
            return self.more.wait_for(lambda: len(self.told) >= count, 30)


class TestPowerCut(Judge):
    def mount(self, daemon):
        done = subprocess.run(["mount", "-o", "loop", daemon.directory / "image", daemon.state],
                              capture_output=True, text=True)
        if done.returncode != 0:
            skip(f"a loop device can't be mounted: {done.stderr.strip()}")

    def judge(self, daemon, told):
        vms = daemon.host.vms()
        deleted = {name for kind, name, _ in told.values() if kind == "delete"}
        for number, (kind, name, state) in told.items():
            self.assertEqual(state, "done", (kind, name))
            operation = daemon.get(f"/v1/operations/{number}")
            self.assertEqual(operation["state"], "done", operation)
            if kind == "delete":
                self.assertNotIn(name, vms)
            elif name not in deleted and name in vms:
                disk = daemon.state / "disks" / f"{vms[name]['uuid']}.qcow2"
                self.assertEqual(disk.read_bytes()[:4], b"QFI\xfb", name)
                console = daemon.state / "console" / f"{vms[name]['uuid']}.log"
                self.assertTrue(console.exists(), name)

    def round(self, count):
        daemon = FaultyFake()
        daemon.state.mkdir(mode=0o711)
        image = daemon.directory / "image"
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, env={"PATH": PATH})
        self.mount(daemon)
        self.addCleanup(subprocess.run, ["umount", "-l", daemon.state])
        with daemon:
            daemon.may_alarm = True
            client = Client(daemon)
            client.start()
            self.assertTrue(client.wait_for(count), client.told)
            with client.more:
                client.cut = True
                subprocess.run(["xfs_io", "-x", "-c", "shutdown", daemon.state], check=True,
                               env={"PATH": PATH})
            daemon.kill()
            client.join(30)
            subprocess.run(["umount", daemon.state], check=True)
            self.mount(daemon)
            daemon.start()
            daemon.wait_backend()
            self.judge(daemon, client.told)
            self.assertTrue(daemon.is_recorded())
        return len(client.told)

    def test_power_cut(self):
        told = sum(self.round(count) for count in ROUNDS)
        print(f"{len(ROUNDS)} power cuts, {told} operations told to be done, none lost", flush=True)


need_preloading()
need_power()

if __name__ == "__main__":
    nestd.main()
