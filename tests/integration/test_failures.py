# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every call to the hypervisor fails, the first and the second time, before and after its effect.

Whatever happens: the definition is the old one or the wished one, never anything between; what is
said of the outcome is true; and once the fault is gone the same request succeeds.
"""

import re
import unittest

import nestd
from fake import XML, Fake, eventually

FAULTS = ["HYPERVISOR:no", "after:no", "BACKEND_UNAVAILABLE:gone", "TIMEOUT:late"]
TAMPERED = "check='full'=>check='none'"

ONE = [{"name": "one", "time": 1, "current": False, "unfinished": False, "description": None,
        "xml": XML.format(name="then", uuid="5a3c1f8e-8f9e-4a4b-9b5e-0d6c3f2a1b00"),
        "live_xml": None}]

# operation: state of the VM, the request, the calls that it makes, whether it got what it wanted
OPERATIONS = {
    "enable": (
        {"state": "running"}, ("PUT", "nested", {"enabled": True}),
        ["read", "define", "shutdown", "wait_off", "stop"],
        lambda vm: "check='full'" in vm["xml"] and vm["state"] == "off",
    ),
    "enable-saved": (
        {"saved_state": True, "saved_xml": "<domain/>", "saved_bytes": 5},
        ("PUT", "nested", {"enabled": True}), ["read", "define", "drop_saved_state"],
        lambda vm: "check='full'" in vm["xml"] and not vm["saved_state"],
    ),
    "start": (
        {}, ("PUT", "state", {"state": "running"}), ["read", "start"],
        lambda vm: vm["state"] == "running",
    ),
    "stop": (
        {"state": "running"}, ("PUT", "state", {"state": "off", "force": True}), ["read", "stop"],
        lambda vm: vm["state"] == "off",
    ),
    "shutdown": (
        {"state": "running"}, ("PUT", "state", {"state": "off", "timeout": 5}),
        ["read", "shutdown", "wait_off"], lambda vm: vm["state"] == "off",
    ),
    "save": (
        {"state": "running"}, ("PUT", "state", {"state": "saved"}), ["read", "save"],
        lambda vm: vm["saved_state"],
    ),
    "pause": (
        {"state": "running"}, ("PUT", "state", {"state": "paused"}), ["read", "pause"],
        lambda vm: vm["state"] == "paused",
    ),
    "reset": (
        {"state": "running"}, ("POST", "restart", {"reset": True}), ["read", "restart"],
        lambda vm: vm["state"] == "running" and vm["restarts"] > 0,
    ),
    "reboot": (
        {"state": "running"}, ("POST", "restart", {"timeout": 5}), ["read", "restart"],
        lambda vm: vm["state"] == "running" and vm["restarts"] > 0,
    ),
    "memory": (
        {"state": "running"}, ("PUT", "memory", {"memory_kib": 524288}), ["read", "set_memory"],
        lambda vm: "<currentMemory unit='KiB'>524288<" in vm["live_xml"],
    ),
    "memory-off": (
        {}, ("PUT", "memory", {"memory_kib": 524288}), ["read", "define"],
        lambda vm: "<memory unit='KiB'>524288<" in vm["xml"],
    ),
    "checkpoint": (
        {"state": "running"}, ("POST", "checkpoints", {"name": "new"}),
        ["checkpoints", "checkpoint"], lambda vm: names(vm) == ["new"],
    ),
    "checkpoint-disk": (
        {"state": "running"}, ("POST", "checkpoints", {"name": "new", "disk_only": True}),
        ["checkpoint"], lambda vm: names(vm) == ["new"],
    ),
    "apply": (
        {"checkpoints": ONE}, ("PUT", "checkpoints/one", {}),
        ["read", "checkpoints", "apply_checkpoint"], lambda vm: vm["checkpoints"][0]["current"],
    ),
    "apply-running": (
        {"state": "running", "checkpoints": ONE}, ("PUT", "checkpoints/one", {}),
        ["apply_checkpoint"],
        lambda vm: vm["checkpoints"][0]["current"] and vm["state"] == "off",
    ),
    "delete-checkpoint": (
        {"checkpoints": ONE}, ("DELETE", "checkpoints/one", None),
        ["checkpoints", "delete_checkpoint"], lambda vm: names(vm) == [],
    ),
    "delete": ({}, ("DELETE", "", None), ["read", "undefine"], lambda vm: vm is None),
}


def names(vm):
    return [checkpoint["name"] for checkpoint in vm["checkpoints"]]


def same(xml):
    """Without what means nothing."""
    return re.sub(r"\s+", "", xml)


class TestFailures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def perform(self, name, request):
        """The operation, ended; None where there was none."""
        method, part, body = request
        path = f"/v1/vms/{name}/{part}".rstrip("/")
        answer = self.daemon.request(method, path, body)
        if answer.status == 202:
            return self.daemon.wait_operation(answer.json["id"])
        if answer.status >= 400:
            self.assertEqual(answer.headers["content-type"], "application/problem+json")
            self.assertTrue(answer.json["detail"])
        return None

    def check(self, label, before, operation, wished, name):
        """What was said is what is there."""
        now = self.daemon.host.vms().get(name)
        if operation is None:
            self.assertEqual(same(now["xml"]), same(before["xml"]), label)
        elif operation["state"] == "done":
            self.assertTrue(wished(now), (label, now, operation))
        elif operation["state"] == "rolled-back":
            self.assertEqual(same(now["xml"]), same(before["xml"]), (label, operation))
            self.assertEqual(now["checkpoints"], before["checkpoints"], (label, operation))
            self.assertTrue(operation["problem"]["detail"], label)
        else:
            self.assertEqual(operation["state"], "failed", label)
            self.assertTrue(operation["note"] or operation["problem"], label)
            if now is not None and (same(now["xml"]) != same(before["xml"]) or names(now) != names(before)):
                self.assertIn("taken back", operation["note"] or "", (label, operation))

    def try_fault(self, kind, slot, nth, fault):
        fields, request, _, wished = OPERATIONS[kind]
        label = f"{kind}.{slot}.{nth}.{fault.split(':')[0]}"
        name = re.sub(r"[^a-zA-Z0-9.-]", "-", label)
        self.daemon.define(name, **fields)
        before = self.daemon.host.vm(name)
        self.daemon.host.control(f"{slot}@{name}:{nth}:{fault}")
        operation = self.perform(name, request)
        self.check(label, before, operation, wished, name)
        self.daemon.host.control()
        if self.daemon.host.vms().get(name) is None:
            return
        # A fault that meant "gone" may have met nestd's own reading too: one that sees this change
        # comes after it.
        self.daemon.host.change(name, autostart=True)
        eventually(lambda: self.daemon.get(f"/v1/vms/{name}")["autostart"])
        eventually(lambda: self.daemon.get("/v1")["backend"] == "open")
        again = self.perform(name, request)
        if again is not None:
            self.assertEqual(again["state"], "done", (label, again))
        self.assertTrue(wished(self.daemon.host.vms().get(name)), label)

    def test_every_call(self):
        for kind, (_, _, slots, _) in OPERATIONS.items():
            for slot in slots:
                for nth in (1, 2):
                    for fault in FAULTS:
                        with self.subTest(kind=kind, slot=slot, nth=nth, fault=fault):
                            self.try_fault(kind, slot, nth, fault)

    def test_definition_that_reads_back_differently(self):
        self.daemon.define("tampered")
        before = self.daemon.host.vm("tampered")
        self.daemon.host.control(f"tamper:define@tampered:1:{TAMPERED}")
        operation = self.perform("tampered", ("PUT", "nested", {"enabled": True}))
        self.daemon.host.control()
        self.assertEqual(operation["state"], "rolled-back", operation)
        self.assertEqual(operation["problem"]["kind"], "not-verified")
        self.assertEqual(same(self.daemon.host.vm("tampered")["xml"]), same(before["xml"]))

    def test_way_back_that_fails_is_told(self):
        self.daemon.define("stuck", state="running")
        self.daemon.host.control(
            "stop@stuck:*:HYPERVISOR:no", "set:shutdown-ms:never", "wait_off@stuck:*:TIMEOUT:no",
            "define@stuck:2+:HYPERVISOR:disk full",
        )
        operation = self.perform("stuck", ("PUT", "nested", {"enabled": True}))
        self.daemon.host.control()
        self.assertEqual(operation["state"], "failed", operation)
        self.assertIn("could not be taken back: disk full", operation["note"])

    def test_create_leaves_nothing_behind(self):
        for slot, nth in (("define", "1"), ("read", "1+")):
            name = f"new-{slot}"
            self.daemon.host.control(f"{slot}@{name}:{nth}:HYPERVISOR:no")
            body = {"name": name, "memory_kib": 65536, "disk_bytes": 1 << 20, "network": "none"}
            operation = self.daemon.change("POST", "/v1/vms", body)
            self.daemon.host.control()
            self.assertEqual(operation["state"], "rolled-back", operation)
            self.assertNotIn(name, self.daemon.host.vms())
            self.assertEqual(list((self.daemon.state / "disks").iterdir()), [])
            self.assertEqual(list((self.daemon.state / "console").iterdir()), [])


if __name__ == "__main__":
    nestd.main()
