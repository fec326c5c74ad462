#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lets the store's writes fail during an enable, at each point, once and from then on, and fills
the disk at several sizes: the request is refused, or taken back, or done and recorded later.
What is told is true, and all works again by itself once the fault is gone."""

import errno
import os
import subprocess
import sys

from daemon_faults import (FAIL_ON, FAIL_ONCE, SYNC, TRUNCATE, WRITE, FaultyFake, Judge,
                           need_preloading, nestd, same)

CALLS = SYNC | TRUNCATE | WRITE
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT)
STRIDE = {FAIL_ONCE: 5, FAIL_ON: 14}  # an outcome that is recorded later takes 7 s
PAGES = (0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64)  # free ones on the full disk
BODY = {"memory_kib": 65536, "disk_bytes": 8 << 20, "network": "none"}


def permits_mounts():
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                           capture_output=True, text=True)
    return probe.returncode == 0


def need_own_mounts():
    """Starts the script anew where its mounts are seen by nobody and vanish with it."""
    if os.environ.get("NEST_OWN_MOUNTS") != "1" and permits_mounts():
        os.environ["NEST_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


class TestErrors(Judge):
    def judge(self, label, daemon, answer, name, before):
        """answer: an operation that has ended, or a refusal."""
        now = daemon.host.vm(name)
        if not isinstance(answer, dict):
            self.assertIn(answer.status, (500, 503, 507), (label, answer))
            self.assertIn(answer.json["kind"], ("store", "store-full"), label)
            self.assertTrue(answer.json["detail"], label)
            self.assertEqual(now, before, label)
            return
        self.assert_told_truly(label, answer)
        if answer["state"] == "done":
            self.assertIn("check='full'", now["xml"], label)
            self.assertEqual(now["state"], "off", label)
        else:
            self.assertEqual(answer["state"], "rolled-back", (label, answer))
            self.assertEqual(same(now["xml"]), same(before["xml"]), label)
            self.assertEqual(now["state"], before["state"], label)

    def judge_after(self, label, daemon, answer, name):
        """The fault is gone: what ended gets recorded, and the same request succeeds."""
        if isinstance(answer, dict):
            with daemon.events(after=0) as events:
                events.wait_for(kind="operation-finished", operation=answer["id"])
            told = daemon.get(f"/v1/operations/{answer['id']}")
            self.assertEqual(told["state"], answer["state"], label)
        again = daemon.ask("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
        if isinstance(again, dict):
            self.assertEqual(again["state"], "done", (label, again))
        else:
            self.assertEqual(again.status, 200, (label, again))
        self.assertTrue(daemon.is_recorded(), label)

    def one(self, daemon, mode, error, number):
        """Whether the fault struck before the operation went through."""
        label = f"{errno.errorcode[error]} {'once' if mode == FAIL_ONCE else 'on'} {number}"
        name = label.replace(" ", "-")
        daemon.define(name, state="running")
        before = daemon.host.vm(name)
        daemon.arm(mode, number, daemon.state / "db", calls=CALLS, error=error)
        answer = daemon.ask("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
        struck = daemon.switch.struck
        daemon.switch.disarm()
        label = f"{label} {daemon.switch.what}"
        self.judge(label, daemon, answer, name, before)
        self.judge_after(label, daemon, answer, name)
        self.outcomes.append(answer["state"] if isinstance(answer, dict) else "refused")
        return struck > 0

    def run_mode(self, mode):
        self.outcomes = []
        for error in ERRORS:
            with FaultyFake() as daemon:
                for number in range(1 + ERRORS.index(error), 200, STRIDE[mode]):
                    if not self.one(daemon, mode, error, number):
                        break
                listed = daemon.get("/v1/operations?limit=200")["operations"]
                daemon.restart()
                daemon.wait_backend()
                self.assertEqual(daemon.get("/v1/operations?limit=200")["operations"], listed)
        counts = {state: self.outcomes.count(state) for state in sorted(set(self.outcomes))}
        print(f"{'once' if mode == FAIL_ONCE else 'on'}: {counts}", flush=True)
        self.assertGreater(counts["refused"], 3)
        self.assertGreater(counts["done"], 3)

    def test_once(self):
        self.run_mode(FAIL_ONCE)

    def test_from_then_on(self):
        self.run_mode(FAIL_ON)


class TestFullDisk(Judge):
    def setUp(self):
        if os.environ.get("NEST_OWN_MOUNTS") != "1":
            print("skipped: mounting is not permitted here", flush=True)
            self.skipTest("mounting is not permitted here")
        self.daemon = FaultyFake()
        self.daemon.state.mkdir(mode=0o711)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0711", "none",
                        self.daemon.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.daemon.state])
        self.enterContext(self.daemon)

    def fill(self, free):
        filler = self.daemon.state / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC)
            file.truncate(max(0, file.tell() - free * 4096))

    def make_room(self):
        (self.daemon.state / "filler").unlink()

    def test_enable(self):
        refused = 0
        for pages in PAGES:
            name = f"vm-{pages}"
            self.daemon.define(name, state="running")
            before = self.daemon.host.vm(name)
            self.fill(pages)
            answer = self.daemon.ask("PUT", f"/v1/vms/{name}/nested", {"enabled": True})
            self.make_room()
            TestErrors.judge(self, name, self.daemon, answer, name, before)
            TestErrors.judge_after(self, name, self.daemon, answer, name)
            refused += not isinstance(answer, dict)
        print(f"full: {refused} of {len(PAGES)} enables refused", flush=True)

    def test_create(self):
        outcomes = []
        for pages in PAGES + (96, 128):
            name = f"new-{pages}"
            self.fill(pages)
            answer = self.daemon.ask("POST", "/v1/vms", {"name": name, **BODY})
            self.make_room()
            done = isinstance(answer, dict) and answer["state"] == "done"
            outcomes.append(answer["state"] if isinstance(answer, dict) else answer.status)
            self.assertIn(outcomes[-1], ("done", "rolled-back", 507), (name, answer))
            if isinstance(answer, dict):
                self.assert_told_truly(name, answer)
            self.assertEqual(name in self.daemon.host.vms(), done, (name, answer))
            made = {vm["uuid"] for vm in self.daemon.host.vms().values()}
            self.assertEqual(self.daemon.files(), made, (name, answer))
            if not done:
                again = self.daemon.change("POST", "/v1/vms", {"name": name, **BODY})
                self.assertEqual(again["state"], "done", (name, again))
        print(f"full: creates ended as {outcomes}", flush=True)
        self.assertIn("done", outcomes)


need_preloading()
need_own_mounts()

if __name__ == "__main__":
    nestd.main()
