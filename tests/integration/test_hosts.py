# SPDX-License-Identifier: LGPL-2.1-or-later
"""What nestd says on kinds of host that are recorded, through the API and through nestctl."""

import unittest

import nestd
from fake import XML, Fake

HOSTS = nestd.SOURCE / "tests" / "data" / "hosts"

# host: what the hypervisor offers, verdict, extension, a check that fails
CASES = {
    "intel-ready": ("kvm=vmx,tcg=svm", True, "vmx", None),
    "intel-nested-off": ("kvm=none,tcg=svm", False, "vmx", "host.kvm.nested"),
    "amd-ready": ("kvm=svm,tcg=svm", True, "svm", None),
    "no-extension": ("kvm=off,tcg=svm", False, "none", "host.cpu.virt"),
    "bios-locked": ("kvm=off,tcg=svm", False, "none", "host.bios.lock"),
    "software-kvm": ("kvm=none,tcg=svm", False, "none", "host.kvm.backend"),
    "host-is-vm": ("kvm=vmx,tcg=svm", True, "vmx", None),
    "xen-dom0": ("kvm=off,tcg=svm", False, None, "host.xen"),
}

KVM = XML.replace("type='qemu'", "type='kvm'").replace("mode='maximum'", "mode='host-passthrough'")


class OnHost(Fake):
    def __init__(self, name, caps, **environment):
        super().__init__(config={"daemon": {"host-root": HOSTS / name}},
                         environment={"NEST_FAKE_CAPS": caps, **environment})


class TestHosts(unittest.TestCase):
    def test_verdicts(self):
        for name, (caps, supports, extension, failed) in CASES.items():
            with self.subTest(host=name), OnHost(name, caps) as daemon:
                host = daemon.get("/v1/host")
                said = daemon.nestctl("status")
                self.assertEqual(host["supports"], supports, host)
                self.assertTrue(host["tcg_supports"])
                if extension is not None:
                    self.assertEqual(host["extension"], extension)
                self.assertEqual(said.returncode, 0 if supports else 1, said)
                self.assertIn("virtualization: " + ("YES" if supports else "NO"), said.stdout)
                if failed is not None:
                    ids = [check["id"] for check in host["checks"] if check["verdict"] == "fail"]
                    self.assertIn(failed, ids)
                    self.assertIn(failed, said.stdout)
                    self.assertIn("--accel tcg", said.stdout)

    def test_checks(self):
        with OnHost("intel-nested-off", "kvm=none,tcg=svm") as daemon:
            catalogue = daemon.get("/v1/checks")["checks"]
            ids = [check["id"] for check in catalogue if check["scope"] == "host"]
            every = daemon.get("/v1/host/checks?all=1")
            self.assertEqual([check["id"] for check in every["checks"]], ids)
            found = daemon.get("/v1/host/checks")
            self.assertIn("host.kvm.nested", [check["id"] for check in found["checks"]])
            self.assertLess(len(found["checks"]), len(ids))
            said = daemon.nestctl("check")
            self.assertEqual(said.returncode, 1, said)
            self.assertIn("✗ host.kvm.nested", said.stdout)
            daemon.define("one", XML)
            of_vm = daemon.get("/v1/vms/one/checks?all=1")["checks"]
            self.assertEqual([check["id"] for check in of_vm],
                             [check["id"] for check in catalogue
                              if check["scope"] in ("vm", "net", "guest")])
            for id_ in [*ids, "guard.save"]:
                self.assertEqual(daemon.nestctl("explain", id_).returncode, 0)

    def test_extension_by_class_of_vm(self):
        for name, caps, xml, extension in (
            ("intel-ready", "kvm=vmx,tcg=svm", KVM, "vmx"),
            ("amd-ready", "kvm=svm,tcg=svm", KVM, "svm"),
            ("intel-ready", "kvm=vmx,tcg=svm", XML, "svm"),
        ):
            with self.subTest(host=name, extension=extension), OnHost(name, caps) as daemon:
                daemon.define("one", xml)
                daemon.change("PUT", "/v1/vms/one/nested", {"enabled": True})
                self.assertRegex(daemon.host.vm("one")["xml"],
                                 f"<feature policy='require' name='{extension}'/>")
                self.assertIn("check='full'", daemon.host.vm("one")["xml"])
                self.assertIn("<!-- kept -->", daemon.host.vm("one")["xml"])
                self.assertEqual(daemon.get("/v1/vms/one")["nesting"], "on")

    def test_never_starts_without_what_it_demands(self):
        with OnHost("intel-nested-off", "kvm=none,tcg=svm") as daemon:
            daemon.define("one", KVM)
            plan = daemon.plan("one")
            self.assertEqual(plan["verdict"], "steps")
            self.assertIn("nested=N", " ".join(plan["warnings"]))
            daemon.change("PUT", "/v1/vms/one/nested", {"enabled": True})
            answer = daemon.request("PUT", "/v1/vms/one/state", {"state": "running"})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"))
            self.assertIn("nested", answer.json["detail"])
            self.assertIn("nested=1", answer.json["next"])
            self.assertEqual(daemon.host.vm("one")["state"], "off")

    def test_refuses_what_can_never_be(self):
        with OnHost("no-extension", "kvm=none,tcg=svm") as daemon:
            daemon.define("one", KVM)
            answer = daemon.nested("one")
            self.assertEqual((answer.status, answer.json["kind"]), (409, "host-unfit"))
            self.assertEqual(answer.json["plan"]["verdict"], "refused")
            body = {"name": "two", "memory_kib": 1 << 20, "accel": "kvm", "nested": True}
            operation = daemon.request("POST", "/v1/vms", body)
            self.assertEqual((operation.status, operation.json["kind"]), (409, "host-unfit"))

    def test_dynamic_memory_does_not_start(self):
        dynamic = KVM.replace("check='none'", "check='full'").replace(
            "<feature policy='disable' name='svm'/>", "<feature policy='require' name='vmx'/>")
        with OnHost("intel-ready", "kvm=vmx,tcg=svm") as daemon:
            daemon.define("one", dynamic)
            answer = daemon.request("PUT", "/v1/vms/one/state", {"state": "running"})
            self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-unfit"))
            self.assertEqual(answer.json["next"], "nestctl enable one")


if __name__ == "__main__":
    nestd.main()
