# SPDX-License-Identifier: LGPL-2.1-or-later
"""Migration over the fake hypervisor: what leaves is gone here, what may host others does not leave,
and what goes wrong in the middle is told."""

import contextlib
import http.client
import re
import unittest

import nestd
from fake import XML, Fake
from test_hosts import KVM, OnHost

TO = "qemu+ssh://other/system"
NESTING = re.sub(r"check='none'", "check='full'", XML.replace("disable", "require"))
REASON = {"force": True, "reason": "the rack moves"}


def nesting(kvm):
    return re.sub(r"check='none'", "check='full'", KVM).replace("disable", "require") \
        if kvm else NESTING


class TestMigrate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Fake())

    def ask(self, name, daemon=None, **body):
        return (daemon or self.daemon).request(
            "POST", f"/v1/vms/{name}/migration", {"to": TO, **body})

    def ended(self, name, state, daemon=None, **body):
        answer = self.ask(name, daemon, **body)
        self.assertEqual(answer.status, 202, answer)
        operation = (daemon or self.daemon).wait_operation(answer.json["id"])
        self.assertEqual((operation["kind"], operation["state"]), ("migrate", state), operation)
        return operation

    def refused(self, name, says, status=409, daemon=None, **body):
        daemon = daemon or self.daemon
        before = daemon.host.vm(name)
        answer = self.ask(name, daemon, **body)
        self.assertEqual(answer.status, status, answer)
        self.assertIn(says, answer.json["detail"])
        self.assertTrue(answer.json["next"], answer)
        self.assertEqual(daemon.host.vm(name), before)

    def gone(self, name):
        return self.daemon.request("GET", f"/v1/vms/{name}").status == 404

    def test_leaves(self):
        for name, fields, body in (("runs", {"state": "running"}, {}), ("off", {}, {"offline": True})):
            with self.subTest(name):
                self.daemon.define(name, **fields)
                self.assertIsNone(self.ended(name, "done", **body)["note"])
                self.assertTrue(self.gone(name))

    def test_set_up_for_nesting_while_off(self):
        self.daemon.define("moves", NESTING)
        self.assertIn("check it there", self.ended("moves", "done", offline=True)["note"])

    def test_wrong_state(self):
        self.daemon.define("still")
        self.daemon.define("awake", state="running")
        self.daemon.define("saved", state="running")
        self.daemon.change("PUT", "/v1/vms/saved/state", {"state": "saved"})
        self.refused("still", "does not run")
        self.refused("awake", "was to be migrated while it is off", offline=True)
        self.refused("saved", "the saved state would stay behind", offline=True)

    def test_where_to(self):
        self.daemon.define("where", state="running")
        for to in ("qemu+ext://other/system?command=/bin/sh", "qemu+ssh://-x/system", "", "a" * 600):
            with self.subTest(to):
                self.refused("where", "can't be migrated there", 400, to=to)
        self.refused("where", "more than 86400 seconds", 400, timeout=86401)

    def test_refused_while_it_may_host(self):
        """Not even if forced: QEMU's software CPU carries none of it."""
        self.daemon.define("host", NESTING, state="running")
        self.refused("host", "while it may host other VMs: the state of the VMs inside would be lost")
        self.refused("host", "the state of the VMs inside would be lost", **REASON)

    def test_looked_into_before(self):
        """Not by what was sampled last."""
        with Fake(config={"guard": {"monitor": "yes"}}) as daemon:
            daemon.define("asked", NESTING, state="running")
            daemon.host.control("set:sample@asked:counted,armed")
            self.refused("asked", "a hypervisor is ready in it", daemon=daemon)
            daemon.host.control("set:sample@asked:counted")
            self.assertIn("should it host other VMs after all",
                          self.ended("asked", "done", daemon)["note"])

    def test_by_vendor(self):
        """Intel's may be forced; AMD's only where the host's kernel is known to carry it."""
        for host, extension, forced in (
                ("intel-ready", "vmx", True), ("amd-ready", "svm", False)):
            xml = nesting(kvm=True).replace("name='svm'", f"name='{extension}'")
            with self.subTest(host), OnHost(host, f"kvm={extension},tcg=svm") as daemon:
                daemon.define("host", xml, state="running")
                daemon.host.control("set:sample@host:counted,guest")
                self.refused("host", "while it hosts other VMs", daemon=daemon)
                if not forced:
                    self.refused("host", "the state of the VMs inside would be lost", daemon=daemon, **REASON)
                    continue
                done = self.ended("host", "done", daemon, **REASON)
                self.assertIn("guard.migrate was overridden", done["note"])

    def test_failures(self):
        for rule, state, says in (
                ("hypervisor:no route", "rolled-back", "no route"),
                ("timeout:late", "rolled-back", "late"),
                ("unsupported:by nestd itself", "rolled-back", "by nestd itself"),
                ("not-verified:no answer", "failed", "no answer")):
            name = rule.partition(":")[0]
            with self.subTest(name):
                self.daemon.define(name, state="running")
                self.daemon.host.control(f"migrate@{name}:1:{rule}")
                self.addCleanup(self.daemon.host.control)
                operation = self.ended(name, state)
                self.assertIn(says, operation["problem"]["detail"])
                self.assertEqual(self.daemon.host.vm(name)["state"], "running")
                if state == "failed":
                    self.assertIn("may still be on its way", operation["note"])

    def test_failed_but_gone(self):
        self.daemon.define("lost", state="running")
        self.daemon.host.control("migrate@lost:1:after:connection reset")
        self.addCleanup(self.daemon.host.control)
        self.assertIn("is not here any more", self.ended("lost", "failed")["note"])
        self.assertTrue(self.gone("lost"))

    def test_killed(self):
        for fields, body, point, state, says in (
                ({"state": "running"}, {}, "before", "failed", "on its way is not known"),
                ({}, {"offline": True}, "before", "rolled-back", "nothing had been changed"),
                ({"state": "running"}, {}, "after", "done", "see that it is there")):
            with self.subTest(body=body, point=point), Fake() as daemon:
                daemon.may_alarm = True
                daemon.define("one", **fields)
                daemon.host.control(f"crash-{point}:migrate:1")
                with contextlib.suppress(http.client.HTTPException, OSError):
                    self.ask("one", daemon, **body)
                daemon.wait()
                daemon.host.control()
                daemon.start()
                daemon.wait_backend()
                operation = daemon.get("/v1/operations")["operations"][0]
                self.assertEqual(operation["state"], state, operation)
                self.assertIn(says, operation["note"])

    def test_through_nestctl(self):
        self.daemon.define("spoken", NESTING, state="running")
        said = self.daemon.nestctl("migrate", "spoken", TO)
        self.assertEqual(said.returncode, 7, said)
        self.assertIn("next  nestctl shutdown spoken", said.stderr)
        self.daemon.define("goes")
        said = self.daemon.nestctl("migrate", "goes", TO, "--offline", "--timeout", "60")
        self.assertEqual(said.returncode, 0, said)
        self.assertIn("goes is there, and not here any more.", said.stdout)


if __name__ == "__main__":
    nestd.main()
