# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks whose verdict changes are told of, also over a restart; and what the administrator makes of
checks."""

import pathlib
import shutil
import tempfile
import unittest

import nestd
from fake import XML, Fake, put

HOST = nestd.SOURCE / "tests" / "data" / "hosts" / "intel-ready"
KVM = (XML.replace("type='qemu'", "type='kvm'")
       .replace("mode='maximum' check='none'", "mode='host-passthrough' check='full'")
       .replace("policy='disable' name='svm'", "policy='require' name='vmx'"))


class OnCopy(Fake):
    """On a copy of a recorded host that can be changed; all is read again each second."""

    def __init__(self, **config):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name) / "host"
        shutil.copytree(HOST, self.root)
        config.setdefault("timeouts", {})["refresh"] = 1
        config["daemon"] = {"host-root": self.root}
        super().__init__(config=config, environment={"NEST_FAKE_CAPS": "kvm=vmx,tcg=svm"})

    def __exit__(self, *what):
        try:
            return super().__exit__(*what)
        finally:
            self.folder.cleanup()

    def set_nested(self, value):
        path = self.root / "sys" / "module" / "kvm_intel" / "parameters" / "nested"
        put(path, value + "\n")

    def verdict(self, path, check):
        found = [row for row in self.get(path + "?all=1")["checks"] if row["id"] == check]
        return found[0]["verdict"]


def changed(events, check, before, after):
    """Waits until that is told; what came before stays in events.seen."""
    text = f"{check} went from {before} to {after}: "
    for event in events:
        if event["kind"] == "check-changed" and text in event["message"]:
            return event
    raise AssertionError(f"nobody told that {text}: {events.seen}")


class TestChanges(unittest.TestCase):
    def test_told_though_nobody_asks(self):
        with OnCopy() as daemon:
            number = daemon.define("DemoVM", KVM)
            daemon.get("/v1/host")
            with daemon.events() as events:
                daemon.set_nested("N")
                host = changed(events, "host.kvm.nested", "pass", "fail")
                self.assertIsNone(host["uuid"])
                vm = changed(events, "vm.host", "pass", "fail")
                self.assertEqual((vm["uuid"], vm["name"]), (number, "DemoVM"))
                self.assertTrue(vm["message"].startswith("DemoVM: "))
                daemon.set_nested("Y")
                changed(events, "host.kvm.nested", "fail", "pass")
                changed(events, "vm.host", "fail", "pass")
            told = [event for event in events.seen if event["kind"] == "check-changed"]
            for check in "host.kvm.nested", "vm.host":
                self.assertEqual(sum(f"{check} went" in event["message"] for event in told), 2, told)

    def test_told_over_a_restart(self):
        with OnCopy() as daemon:
            daemon.define("DemoVM", KVM)
            self.assertEqual(daemon.verdict("/v1/host/checks", "host.kvm.nested"), "pass")
            before = daemon.get("/v1/events?follow=0")["events"]
            self.assertFalse([event for event in before if event["kind"] == "check-changed"])
            self.assertEqual(daemon.stop(), 0)
            daemon.set_nested("N")
            daemon.start()
            with daemon.events(after=before[-1]["id"]) as events:
                changed(events, "host.kvm.nested", "pass", "fail")
                changed(events, "vm.host", "pass", "fail")
            last = events.seen[-1]["id"]
            daemon.restart()
            daemon.wait_backend()
            daemon.define("Later", KVM)
            after = daemon.get(f"/v1/events?follow=0&after={last}")["events"]
            self.assertFalse([event for event in after if event["kind"] == "check-changed"], after)

    def test_not_all_of_many(self):
        with OnCopy() as daemon:
            for i in range(60):
                daemon.host.define(KVM.format(name=f"vm{i}", uuid=f"{i:08}-0000-4000-8000-000000000000"))
            with daemon.events(after=0) as events:
                for _ in range(60):
                    events.wait_for(kind="vm-added")
                daemon.set_nested("N")
                for event in events:
                    if "more checks of virtual machines changed" in (event["message"] or ""):
                        break
                told = [event for event in events.seen if event["kind"] == "check-changed"
                        and event["uuid"] is not None]
            self.assertEqual(len(told), 50)


class TestPolicy(unittest.TestCase):
    def test_levels_and_ignored(self):
        config = {"levels": {"vm.vcpu-hotplug": "fail", "host.is-vm": "info"},
                  "ignore vm Demo*": {"vm.mem.min": "only small ones",
                                      "vm.mem.dynamic": "soon; until 2000-01-01"},
                  "policy": {"allow": "Other"}}
        with OnCopy(**config) as daemon:
            daemon.define("DemoVM", KVM)
            report = {row["id"]: row for row in daemon.get("/v1/vms/DemoVM/checks")["checks"]}
            self.assertEqual(report["vm.mem.min"]["ignored"], "only small ones")
            self.assertIsNone(report["vm.mem.min"]["ignored_until"])
            self.assertIsNone(report["vm.mem.dynamic"]["ignored"])
            self.assertIn("It was ignored until 2000-01-01: soon.",
                          report["vm.mem.dynamic"]["message"])
            said = daemon.nestctl("check", "DemoVM")
            self.assertIn("ignored: only small ones.", said.stdout)
            self.assertIn("1 ignored", said.stdout)
            summary = daemon.get("/v1/vms")["vms"][0]
            self.assertNotIn("vm.mem.min", summary["errors"])
            self.assertEqual(daemon.verdict("/v1/host/checks", "host.policy"), "info")
            answer = daemon.nested("DemoVM")
            self.assertEqual(answer.status, 403, answer)
            guest = daemon.nestctl("check", "DemoVM", "--scope", "guest", "--all")
            self.assertIn("win.role", guest.stdout)
            self.assertIn("It does not run: ", guest.stdout)

    def test_who_may_not_nest_gets_there_by_no_way(self):
        hidden = KVM.replace("policy='require' name='vmx'", "policy='disable' name='vmx'")
        hidden = hidden.replace("</cpu>", "<feature policy='disable' name='svm'/></cpu>")
        with OnCopy(policy={"allow": "lab-*"}) as daemon:
            daemon.define("web", KVM)
            daemon.define("kept", hidden)
            nests = KVM.format(name="kept", uuid=daemon.get("/v1/vms/kept")["uuid"])
            daemon.host.change("kept", checkpoints=[{"name": "c", "time": 1, "xml": nests}])
            # what nests is left alone, also where it goes back to what it had
            done = daemon.change("POST", "/v1/vms/web/checkpoints", {"name": "c"})
            done = daemon.change("PUT", "/v1/vms/web/checkpoints/c", {})
            self.assertEqual(done["state"], "done", done)
            done = daemon.change("PUT", "/v1/vms/web/nested", {"enabled": False})
            self.assertEqual(done["state"], "done", done)
            plan = daemon.request("POST", "/v1/vms/web/undo/plan", {}).json
            self.assertEqual(plan["problem"]["check"], "host.policy", plan)
            create = {"name": "web2", "memory_kib": 262144, "nested": True}
            force = {"force": True, "reason": "the test"}
            before = daemon.host.vms()
            for method, path, body in (("PUT", "web/undo", {}), ("PUT", "web/checkpoints/c", force),
                                       ("PUT", "kept/checkpoints/c", {}), ("POST", "", create)):
                answer = daemon.request(method, f"/v1/vms/{path}".rstrip("/"), body)
                self.assertEqual((answer.status, answer.json["check"]), (403, "host.policy"), answer)
            self.assertEqual(daemon.host.vms(), before)
            for body in (create | {"nested": False}, create | {"name": "lab-1"}):
                done = daemon.change("POST", "/v1/vms", body)
                self.assertEqual(done["state"], "done", done)


if __name__ == "__main__":
    nestd.main()
