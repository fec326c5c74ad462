# SPDX-License-Identifier: LGPL-2.1-or-later
"""The label of a VM, and what it means on hosts whose kernels are open to it."""

import json
import pathlib
import tempfile
import unittest

import nestd
from fake import Fake
from test_hosts import HOSTS, KVM

CAPS = "kvm=vmx,tcg=svm"
EXPOSED = KVM.replace("check='none'", "check='full'").replace(
    "<feature policy='disable' name='svm'/>", "<feature policy='require' name='vmx'/>").replace(
    "<currentMemory unit='KiB'>1048576", "<currentMemory unit='KiB'>2097152")
HIDDEN = KVM.replace("name='svm'/>", "name='svm'/><feature policy='disable' name='vmx'/>")
SCHEMA = nestd.SOURCE / "schema"


class OnHost(Fake):
    def __init__(self, name, **policy):
        super().__init__(config={"daemon": {"host-root": HOSTS / name}, "policy": policy},
                         environment={"NEST_FAKE_CAPS": CAPS})

    def label(self, name, trust):
        operation = self.change("PUT", f"/v1/vms/{name}/trust", {"trust": trust})
        if operation["state"] != "done":
            raise AssertionError(operation)
        return operation

    def trust_check(self, name):
        checks = self.get(f"/v1/vms/{name}/checks?all=1")["checks"]
        return next(check for check in checks if check["id"] == "vm.trust")

    def host_check(self, number):
        checks = self.get("/v1/host/checks?all=1")["checks"]
        return next(check for check in checks if check["id"] == number)


class TestLabel(unittest.TestCase):
    def test_set_shown_and_kept(self):
        with OnHost("intel-ready") as daemon:
            daemon.define("one", KVM)
            self.assertEqual(daemon.get("/v1/vms/one")["trust"], "trusted")
            operation = daemon.label("one", "untrusted")
            self.assertEqual((operation["kind"], operation["name"]), ("trust", "one"))
            self.assertEqual(daemon.get("/v1/vms/one")["trust"], "untrusted")
            self.assertIn("untrusted", daemon.nestctl("show", "one").stdout)
            again = daemon.request("PUT", "/v1/vms/one/trust", {"trust": "untrusted"})
            self.assertEqual((again.status, again.json["trust"]), (200, "untrusted"))
            daemon.restart()
            daemon.wait_backend()
            self.assertEqual(daemon.get("/v1/vms/one")["trust"], "untrusted")

    def test_by_nestctl(self):
        with OnHost("intel-ready") as daemon:
            daemon.define("one", KVM)
            self.assertEqual(daemon.nestctl("trust", "one").stdout, "one is trusted.\n")
            said = daemon.nestctl("trust", "one", "untrusted")
            self.assertEqual((said.returncode, "one is untrusted." in said.stdout), (0, True), said)
            self.assertIn("already", daemon.nestctl("trust", "one", "untrusted").stdout)
            self.assertEqual(daemon.nestctl("trust", "one").stdout, "one is untrusted.\n")
            self.assertEqual(daemon.nestctl("trust", "one", "perhaps").returncode, 2)
            self.assertEqual(json.loads(daemon.nestctl("trust", "one", "--json").stdout)["trust"],
                             "untrusted")

    def test_refused(self):
        with OnHost("intel-ready") as daemon:
            daemon.define("one", KVM)
            for body in ({}, {"trust": "maybe"}, {"trust": None}, {"trust": "trusted", "x": 1}):
                answer = daemon.request("PUT", "/v1/vms/one/trust", body)
                self.assertEqual((answer.status, answer.json["kind"]), (400, "invalid-request"))
            answer = daemon.request("PUT", "/v1/vms/none/trust", {"trust": "trusted"})
            self.assertEqual(answer.json["kind"], "vm-not-found")


class TestOpenHost(unittest.TestCase):
    def test_untrusted_must_not_nest(self):
        with OnHost("debian-open") as daemon:
            daemon.define("one", EXPOSED)
            daemon.define("off", HIDDEN)
            daemon.define("unasked", KVM)
            self.assertEqual(daemon.trust_check("one")["verdict"], "warn")
            for name in ("one", "off", "unasked"):
                daemon.label(name, "untrusted")
            check = daemon.trust_check("one")
            self.assertEqual(check["verdict"], "fail", check)
            self.assertIn("CVE-2026-53359", check["message"])
            self.assertFalse(daemon.get("/v1/vms/one")["supports"])
            self.assertTrue(daemon.get("/v1/host")["supports"])

            plan = daemon.plan("off")
            self.assertEqual((plan["verdict"], plan["problem"]["kind"]), ("refused", "host-unfit"))
            answer = daemon.nested("off")
            self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"))
            self.assertIn("nestctl trust off trusted", answer.json["next"])
            for name in ("one", "unasked"):
                start = daemon.request("PUT", f"/v1/vms/{name}/state", {"state": "running"})
                self.assertEqual((start.status, start.json["kind"]), (409, "host-unfit"))
                self.assertIn("untrusted", start.json["detail"])
                self.assertEqual(daemon.host.vm(name)["state"], "off")
            daemon.change("PUT", "/v1/vms/off/state", {"state": "running"})

            daemon.label("one", "trusted")
            self.assertEqual(daemon.trust_check("one")["verdict"], "warn")
            daemon.change("PUT", "/v1/vms/one/state", {"state": "running"})
            self.assertEqual(daemon.host.vm("one")["state"], "running")

    def test_undo_that_nests_is_refused(self):
        with OnHost("debian-open") as daemon:
            daemon.define("one", EXPOSED)
            daemon.change("PUT", "/v1/vms/one/nested", {"enabled": False})
            daemon.label("one", "untrusted")
            answer = daemon.request("PUT", "/v1/vms/one/undo", {})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"), answer)
            daemon.label("one", "trusted")
            operation = daemon.change("PUT", "/v1/vms/one/undo", {})
            self.assertEqual(operation["state"], "done")

    def test_kept_memory_that_nests_is_refused(self):
        """What was kept is not booted, so no start asks whether it may nest."""
        force = {"force": True, "reason": "the test"}
        with OnHost("debian-open") as daemon:
            for name, xml in (("one", EXPOSED), ("hidden", HIDDEN)):
                then = EXPOSED.format(name=name, uuid=daemon.define(name, xml))
                daemon.host.change(name, checkpoints=[
                    {"name": "c1", "time": 1, "xml": then, "live_xml": then}])
            daemon.define("saved", HIDDEN, saved_state=True, saved_xml=EXPOSED, saved_time=9)
            for name, way, body in (("one", "checkpoints/c1", force),
                                    ("hidden", "checkpoints/c1", force),
                                    ("saved", "state", {"state": "running", **force})):
                daemon.label(name, "untrusted")
                before = daemon.host.vm(name)
                answer = daemon.request("PUT", f"/v1/vms/{name}/{way}", body)
                self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"), answer)
                self.assertIn(f"nestctl trust {name} trusted", answer.json["next"])
                self.assertEqual(daemon.host.vm(name), before)
            daemon.label("one", "trusted")
            daemon.change("PUT", "/v1/vms/one/checkpoints/c1", {})
            self.assertEqual(daemon.host.vm("one")["state"], "running")

    def test_untrusted_by_default(self):
        with OnHost("debian-open", **{"trust-default": "untrusted"}) as daemon:
            daemon.define("one", EXPOSED)
            self.assertEqual(daemon.get("/v1/vms/one")["trust"], "untrusted")
            self.assertEqual(daemon.trust_check("one")["verdict"], "fail")
            daemon.label("one", "trusted")
            self.assertEqual(daemon.trust_check("one")["verdict"], "warn")


class TestAdvisories(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shipped = json.loads((SCHEMA / "advisories.json").read_text(encoding="utf-8"))
        self.shipped = shipped["advisories"]

    def put(self, name, value):
        text = value if isinstance(value, str) else json.dumps(value)
        (self.folder / name).write_text(text, encoding="utf-8")

    def test_override(self):
        self.put("site.json", {"advisories": [
            entry | {"affected": []} for entry in self.shipped if entry["kind"] == "flaw"]})
        with OnHost("debian-open", advisories=self.folder) as daemon:
            daemon.define("one", EXPOSED)
            daemon.label("one", "untrusted")
            self.assertEqual(daemon.trust_check("one")["verdict"], "pass")
            self.assertEqual(daemon.host_check("host.kernel.cve-shadowmmu")["verdict"], "pass")
            daemon.change("PUT", "/v1/vms/one/state", {"state": "running"})

    def test_wrong_file(self):
        self.put("site.json", "{")
        with OnHost("debian-open", advisories=self.folder) as daemon:
            daemon.wait_log("site.json is left out")
            check = daemon.host_check("host.kernel.knownbad")
            self.assertEqual(check["verdict"], "warn")
            self.assertIn("site.json is left out", check["message"])
            self.assertEqual(daemon.host_check("host.kernel.cve-shadowmmu")["verdict"], "warn")

    def test_schema(self):
        """What is shipped fits the schema, as others check their files with it."""
        try:
            import jsonschema
        except ImportError:
            self.skipTest("there is no jsonschema")
        schema = json.loads((SCHEMA / "advisories.schema.json").read_text(encoding="utf-8"))
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        validator.validate({"advisories": self.shipped})
        for wrong in ({"id": "a b"}, {"kind": "x"}, {"affected": [{"from": "six"}]}, {"x": 1}):
            self.assertFalse(validator.is_valid({"advisories": [self.shipped[0] | wrong]}), wrong)


if __name__ == "__main__":
    nestd.main()
