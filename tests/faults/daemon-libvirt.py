#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real nestd with libvirt's driver inside is killed while that writes: before some of the calls
that change libvirt's own files, and nestd's, in enables and disables of a VM that is off.

Afterwards the definition that libvirt has is the old one or the wished one, and the operation has
ended and tells which."""

from daemon_faults import KILL, Judge, Switched, need_preloading, nestd

VM = {"name": "real", "memory_kib": 4 << 20, "network": "none", "accel": "tcg"}
STRIDES = {"vm": 1, "": 5}  # below which part of the state: libvirt's own, and all
OPEN_DEADLINE = 60


class Real(Switched, nestd.Daemon):
    def __init__(self):
        super().__init__(nestd.NESTD)
        self.add_switch()


class TestLibvirt(Judge):
    def definition(self, daemon):
        """What libvirt has: a hash of it, and whether it is what enable makes of it. A plan is
        made of the definition as it is, not as it is remembered."""
        answer = daemon.request(
            "POST", "/v1/vms/real/nested/plan", {"enabled": True, "decline": []})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["hash"], answer.json["verdict"] == "no-change"

    def one(self, daemon, enabled, number, part):
        """What was struck, None where it went through."""
        before = self.definition(daemon)
        known = daemon.get("/v1/operations?limit=1")["operations"][0]["id"]
        daemon.arm(KILL, number, daemon.state / part)
        daemon.ask("PUT", "/v1/vms/real/nested", {"enabled": enabled})
        daemon.switch.disarm()
        if not daemon.switch.struck:
            return None
        label = f"{number}: {daemon.switch.what}"
        daemon.wait()
        daemon.start(OPEN_DEADLINE)
        self.assertEqual(daemon.wait_backend(OPEN_DEADLINE), "open")
        operation = daemon.get("/v1/operations?limit=1")["operations"][0]
        now = self.definition(daemon)
        if operation["id"] != known:
            operation = daemon.wait_operation(operation["id"])
            self.assert_told_truly(label, operation)
            now = self.definition(daemon)
        if operation["id"] != known and operation["state"] == "done":
            self.assertEqual(now[1], enabled, (label, operation))
        else:
            self.assertEqual(now, before, (label, operation))
        self.assertTrue(daemon.is_recorded(), label)
        return daemon.switch.what

    def kill_at_points(self, daemon, part):
        """What was struck, until an enable and a disable went through."""
        struck, went_through = [], set()
        for number in range(1, 200, STRIDES[part]):
            enabled = not self.definition(daemon)[1]
            if enabled in went_through:
                daemon.change("PUT", "/v1/vms/real/nested", {"enabled": enabled})
                enabled = not enabled
            what = self.one(daemon, enabled, number, part)
            if what is not None:
                struck.append(what)
                continue
            went_through.add(enabled)
            if len(went_through) == 2:
                return struck
        self.fail("it never went through")

    def test_killed_while_libvirt_writes(self):
        with Real() as daemon:
            self.assertEqual(daemon.wait_backend(OPEN_DEADLINE), "open")
            self.assertEqual(daemon.change("POST", "/v1/vms", VM)["state"], "done")
            own = self.kill_at_points(daemon, "vm")
            print("libvirt: killed at " + ", ".join(what.split("/")[0] + what.split("/")[-1]
                                                    for what in own), flush=True)
            both = self.kill_at_points(daemon, "")
            print(f"libvirt: killed at {len(both)} of nestd's points too", flush=True)
        self.assertGreaterEqual(len(own), 4)
        self.assertGreaterEqual(len(own) + len(both), 15)


need_preloading()

if __name__ == "__main__":
    nestd.main()
