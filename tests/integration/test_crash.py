# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd is killed before and after every call to the hypervisor, and started again.

After recovery every operation has ended, what it says is true, nothing is half done, and nothing
that cannot be taken back was done by recovery itself. Recovering twice is recovering once.
"""

import contextlib
import http.client
import unittest

import nestd
from fake import Fake, eventually
from test_failures import OPERATIONS, same


# What is done at once and can't be taken back: where the hypervisor was asked, nobody knows.
BLIND = ("reboot", "reset", "apply", "apply-running")


class TestCrash(unittest.TestCase):
    def crash(self, daemon, name, kind, rule):
        """Defines the VM, arms the rule, asks, and waits for the death, if it comes."""
        fields, (method, part, body), _, _ = OPERATIONS[kind]
        daemon.define(name, **fields)
        before = daemon.host.vm(name)
        daemon.host.control(rule)
        path = f"/v1/vms/{name}/{part}".rstrip("/")
        try:
            answer = daemon.request(method, path, body)
            if answer.status == 202:
                daemon.wait_operation(answer.json["id"])
        except (OSError, EOFError, http.client.HTTPException):  # it died while answering
            if not daemon.host.struck():
                raise
        if daemon.host.struck():
            daemon.wait()
        daemon.host.control()
        return before

    def judge(self, daemon, kind, label, name, before):
        wished = OPERATIONS[kind][3]
        operations = daemon.get("/v1/operations?limit=1")["operations"]
        now = daemon.host.vms().get(name)
        if operations:
            operation = daemon.wait_operation(operations[0]["id"])
            if operation["state"] == "done":
                self.assertTrue(wished(now), (label, operation, now))
                return operation
            self.assertIn(operation["state"], ("rolled-back", "failed") if kind in BLIND
                          else ("rolled-back",), (label, operation))
            self.assertTrue(operation["problem"]["next"], label)
            self.assertTrue(operation["note"], label)
        self.assertEqual(same(now["xml"]), same(before["xml"]), label)
        self.assertEqual(now["saved_state"] or wished(now), before["saved_state"] or wished(now))
        return operations[0] if operations else None

    def one(self, kind, slot, when, nth):
        label = f"{kind} {when} {slot} {nth}"
        name = "victim"
        with Fake() as daemon:
            before = self.crash(daemon, name, kind, f"{when}:{slot}@{name}:{nth}")
            if not daemon.host.struck():
                return False
            daemon.wait()  # a reading of nestd's own may have been struck after the request
            daemon.start()
            daemon.wait_backend()
            first = self.judge(daemon, kind, label, name, before)
            if first is not None:
                ended = daemon.wait_operation(first["id"])
                daemon.restart()
                daemon.wait_backend()
                self.assertEqual(daemon.get(f"/v1/operations/{first['id']}"), ended, label)
        return True

    def run_kind(self, kind):
        """Reads before the request count too, so the first numbers may pass."""
        struck = 0
        for slot in OPERATIONS[kind][2]:
            for when in ("crash-before", "crash-after"):
                hits = 0
                for nth in range(1, 9):
                    with self.subTest(kind=kind, slot=slot, when=when, nth=nth):
                        hit = self.one(kind, slot, when, nth)
                        hits += hit
                        if hits and not hit:
                            break
                struck += hits
        self.assertGreaterEqual(struck, 2 * len(OPERATIONS[kind][2]), f"{kind} was hardly ever killed")


def add_tests():
    for kind in OPERATIONS:
        def test(self, kind=kind):
            self.run_kind(kind)
        setattr(TestCrash, f"test_{kind.replace('-', '_')}", test)


add_tests()


class TestInOtherWords(unittest.TestCase):
    def test_undo(self):
        """What recovery finds done can be undone, also where libvirt has written it differently."""
        changes = {"enabled": ("nested", {"enabled": True}),
                   "resized": ("memory", {"memory_kib": 524288})}
        with Fake() as daemon:
            for name, (part, body) in changes.items():
                daemon.define(name)
                before = daemon.host.vm(name)["xml"]
                daemon.host.control(f"crash-after:define@{name}:1",
                                    f"tamper:define@{name}:1:<vcpu placement='static'>=><vcpu>")
                with contextlib.suppress(OSError, EOFError, http.client.HTTPException):
                    daemon.request("PUT", f"/v1/vms/{name}/{part}", body)
                daemon.wait()
                daemon.host.control()
                daemon.start()
                daemon.wait_backend()
                operation = daemon.get("/v1/operations?limit=1")["operations"][0]
                self.assertEqual(operation["state"], "done", operation)
                self.assertIn("<vcpu>2<", daemon.host.vm(name)["xml"])
                operation = daemon.change("PUT", f"/v1/vms/{name}/undo", {})
                self.assertEqual(operation["state"], "done", operation)
                self.assertEqual(same(daemon.host.vm(name)["xml"]), same(before))


class TestLostWhileRecovering(unittest.TestCase):
    def test_once(self):
        """A connection that breaks is opened again; what is being recovered is not begun anew."""
        with Fake() as daemon:
            number = daemon.define("vm", state="running")
            before = same(daemon.host.vm("vm")["xml"])
            with daemon.holding("shutdown", number) as held:
                operation = daemon.nested("vm").json["id"]
                held()
                daemon.kill()
            daemon.host.control("define:1:hang")
            daemon.config["timeouts"] = {"reply": 2}
            daemon.start()
            eventually(lambda: daemon.under_way("define"))
            calls = len(daemon.host.calls())
            daemon.host.lose_connection()
            eventually(lambda: ("caps", "-", "ok") in daemon.host.calls()[calls:])
            answer = daemon.request("PUT", "/v1/vms/vm/memory", {"memory_kib": 524288})
            self.assertEqual(answer.json["kind"], "backend-opening", answer)
            daemon.host.control()
            eventually(lambda: daemon.get("/v1")["backend"] == "open")
            ended = daemon.wait_operation(operation)
            self.assertEqual(ended["state"], "rolled-back", ended)
            self.assertEqual(same(daemon.host.vm("vm")["xml"]), before)
            daemon.wait_log(f"recovered operation {operation} ")
            self.assertEqual(daemon.log().count(f"recovered operation {operation} "), 1)
            self.assertNotIn("not under way", daemon.log())


if __name__ == "__main__":
    nestd.main()
