#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills nestd before every single call that changes a file, its own and the hypervisor's, while it
changes a VM; then starts it again, and again.

The definition is the old one or the wished one; what can't be taken back was done by an operation
that is done, or not at all; what is told of the outcome is true; the second start changes nothing.

daemon-kill.py takes every point of enable and some of the others, daemon-kill.py --all every one.
"""

import sys

from daemon_faults import KILL, FaultyFake, Judge, need_preloading, nestd, same

EVERY = "--all" in sys.argv
DISK = 8 << 20
SAVED = {"saved_state": True, "saved_xml": "<domain/>", "saved_bytes": 5}

# what: fields of the VM, the requests before, the request, stride
OPERATIONS = {
    "enable": ({"state": "running"}, [], ("PUT", "/nested", {"enabled": True}), 1),
    "enable-saved": (SAVED, [], ("PUT", "/nested", {"enabled": True}), 2),
    "disable": ({}, [("PUT", "/nested", {"enabled": True})],
                ("PUT", "/nested", {"enabled": False}), 3),
    "delete": (None, [], ("DELETE", "", None), 3),
    "create": (None, None, ("POST", "", None), 3),
}


def body_of(name):
    return {"name": name, "memory_kib": 65536, "disk_bytes": DISK, "network": "none"}


class TestKill(Judge):
    def make(self, daemon, kind, name):
        """The VM as it is before; its definition, None where it is to be created."""
        fields, requests, _, _ = OPERATIONS[kind]
        if requests is None:
            return None
        if fields is None:
            operation = daemon.change("POST", "/v1/vms", body_of(name))
            self.assertEqual(operation["state"], "done")
        else:
            daemon.define(name, **fields)
        for method, part, body in requests:
            self.assertEqual(daemon.change(method, f"/v1/vms/{name}{part}", body)["state"], "done")
        return daemon.host.vm(name)

    def wished(self, kind, now):
        if kind == "create":
            return now is not None
        if kind == "delete":
            return now is None
        if kind == "disable":
            return "policy='require' name='svm'" not in now["xml"] and "disable" in now["xml"]
        return "check='full'" in now["xml"] and now["state"] == "off" and not now["saved_state"]

    def judge_files(self, label, daemon):
        """Each VM that nestd made has its files, and there are no others."""
        made = {vm["uuid"] for vm in daemon.host.vms().values() if vm["name"].startswith("made")}
        self.assertEqual(daemon.files(), made, label)
        for uuid in made:
            disk = daemon.state / "disks" / f"{uuid}.qcow2"
            self.assertEqual(disk.read_bytes()[:4], b"QFI\xfb", label)
            self.assertEqual(int.from_bytes(disk.read_bytes()[24:32], "big"), DISK, label)
            self.assertTrue((daemon.state / "console" / f"{uuid}.log").exists(), label)

    def judge(self, label, daemon, kind, name, before, known):
        """The operation that was begun, None where none was."""
        now = daemon.host.vms().get(name)
        listed = daemon.get("/v1/operations?limit=1")["operations"]
        begun = [operation for operation in listed if operation["id"] not in known]
        operation = daemon.wait_operation(begun[0]["id"]) if begun else None
        if operation is not None:
            self.assert_told_truly(label, operation)
            self.assertIn(operation["state"], ("done", "rolled-back"), (label, operation))
            self.assert_finished_once(label, daemon, operation)
        if operation is not None and operation["state"] == "done":
            self.assertTrue(self.wished(kind, now), (label, operation, now))
        elif before is None:
            self.assertIsNone(now, label)
        else:
            self.assertEqual(same(now["xml"]), same(before["xml"]), label)
            self.assertEqual(now["saved_state"], before["saved_state"], label)
        self.judge_files(label, daemon)
        self.assertTrue(daemon.is_recorded(), label)
        return operation

    def one(self, daemon, kind, number):
        """What was struck, None where the operation went through before."""
        name = f"made-{kind}-{number}" if OPERATIONS[kind][0] is None else f"vm-{kind}-{number}"
        before = self.make(daemon, kind, name)
        known = {item["id"] for item in daemon.get("/v1/operations?limit=200")["operations"]}
        method, part, body = OPERATIONS[kind][2]
        path = "/v1/vms" if kind == "create" else f"/v1/vms/{name}{part}"
        daemon.arm(KILL, number)
        daemon.ask(method, path, body_of(name) if kind == "create" else body)
        daemon.switch.disarm()
        struck = daemon.switch.what if daemon.switch.struck else None
        if struck:
            daemon.wait()
            daemon.start()
            daemon.wait_backend()
        label = f"{kind} {number}: {struck}"
        first = self.judge(label, daemon, kind, name, before, known)
        if struck:
            daemon.restart()
            daemon.wait_backend()
            again = self.judge(label, daemon, kind, name, before, known)
            self.assertEqual(again, first, label)
        return struck

    def run_kind(self, kind):
        struck = []
        stride = 1 if EVERY else OPERATIONS[kind][3]
        with FaultyFake() as daemon:
            for number in range(1, 400, stride):
                what = self.one(daemon, kind, number)
                if what is None:
                    break
                struck.append(what.split()[0])
        print(f"{kind}: {len(struck)} points: "
              + ", ".join(f"{call} {struck.count(call)}" for call in sorted(set(struck))),
              flush=True)
        self.assertIsNone(what, "it never went through")
        self.assertGreater(len(struck) * stride, 12)


def add_tests():
    for kind in OPERATIONS:
        def test(self, kind=kind):
            self.run_kind(kind)
        setattr(TestKill, f"test_{kind.replace('-', '_')}", test)


need_preloading()
add_tests()

if __name__ == "__main__":
    if EVERY:
        sys.argv.remove("--all")
    nestd.main()
