# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hypervisors installed in guests as scripted: every recipe, and what is refused."""

import json
import shutil
import unittest

import nestd
from fake import XML, Fake

from nest_system import System, Windows

PATH = "/v1/vms/vm/guest/hypervisor"
NESTING = XML.replace("check='none'", "check='full'").replace("'disable'", "'require'")
DEBIAN = {"id": "debian", "pretty-name": "Debian GNU/Linux 12 (bookworm)", "version-id": "12",
          "kernel-release": "6.1.0"}
MODULAR = ["virtqemud.socket"]
ALL_MODULAR = [f"virt{name}d.socket" for name in
               ("network", "nodedev", "qemu", "secret", "storage")]
DEB_PACKAGES = ["libvirt-clients", "libvirt-daemon-system", "qemu-system-x86", "qemu-utils"]
# ID, VERSION_ID, /etc/os-release beyond that, units, packages, units enabled, the call that installs
SYSTEMS = [
    ("debian", "12", "", [], DEB_PACKAGES, ["libvirtd.service"], "apt-get -q -y "),
    ("ubuntu", "24.04", "", [], DEB_PACKAGES, ["libvirtd.service"], "apt-get -q -y "),
    ("linuxmint", "22", "ID_LIKE='ubuntu debian'\n", [], DEB_PACKAGES, ["libvirtd.service"],
     "apt-get -q -y "),
    ("fedora", "42", "", MODULAR, ["libvirt-client", "libvirt-daemon-kvm", "qemu-kvm"],
     ALL_MODULAR, "dnf -y "),
    ("rhel", "8.10", "", [], ["libvirt-client", "libvirt-daemon-kvm", "qemu-kvm"],
     ["libvirtd.service"], "dnf -y "),
    ("almalinux", "9.6", "", MODULAR, ["libvirt-client", "libvirt-daemon-kvm", "qemu-kvm"],
     ALL_MODULAR, "dnf -y "),
    ("opensuse-leap", "15.6", "", MODULAR,
     ["libvirt-client", "libvirt-daemon-qemu", "qemu-x86"], ALL_MODULAR,
     "zypper --non-interactive "),
    ("sles", "15.7", "", MODULAR, ["libvirt-client", "libvirt-daemon-qemu", "qemu-x86"],
     ALL_MODULAR, "zypper --non-interactive "),
    ("arch", None, "", [], ["libvirt", "qemu-base"], ["libvirtd.service"],
     "pacman -S --noconfirm "),
]


def ids(plan):
    return [item["id"] for item in plan["items"]]


class Install(unittest.TestCase):
    def setUp(self):
        self.daemon = Fake(config={"timeouts": {"boot": "1"}})
        self.number = None

    def enter(self, xml=NESTING, **fields):
        self.enterContext(self.daemon)
        self.number = self.daemon.define("vm", xml, **{"state": "running", **fields})

    def system(self, system=DEBIAN):
        return self.enterContext(System(self.daemon.host.directory, "vm", system))

    def windows(self, **more):
        """Not entered yet."""
        return Windows(self.daemon.host.directory, "vm", self.restarts, **more)

    def restarts(self):
        return sum(call[0] == "restart" for call in self.daemon.host.calls())

    def plan(self, **body):
        answer = self.daemon.request("POST", f"{PATH}/plan", body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def refused(self, **body):
        plan = self.plan(**body)
        self.assertEqual((plan["verdict"], plan["items"]), ("refused", []), plan)
        return plan["problem"]

    def install(self, **body):
        return self.daemon.change("PUT", PATH, body)


class Systems(Install):
    def test_every_linux(self):
        self.enter()
        for name, version, release, units, packages, enabled, call in SYSTEMS:
            with self.subTest(name):
                said = {**DEBIAN, "id": name, "version-id": version}
                with System(self.daemon.host.directory, "vm",
                            {key: text for key, text in said.items() if text},
                            release, units) as guest:
                    plan = self.plan()
                    self.assertEqual((plan["verdict"], ids(plan), plan["warnings"]),
                                     ("steps", ["packages", "module", "service"], []))
                    self.assertEqual((guest.packages(), guest.enabled()), ([], []))
                    operation = self.install(plan=plan["hash"])
                    self.assertEqual(operation["state"], "done", operation)
                    self.assertEqual([(step["id"], step["state"]) for step in operation["steps"]],
                                     [(name, "done") for name in
                                      ("packages", "module", "service", "proof")])
                    self.assertEqual((guest.packages(), guest.enabled()), (packages, enabled))
                    self.assertTrue(guest.calls(call))
                    self.assertEqual(guest.calls("modprobe"), ["modprobe kvm_amd"])
                    self.assertEqual(self.plan()["verdict"], "no-change")
                    self.assertIsNone(self.install())
                    self.assertEqual(len(guest.calls("modprobe")), 1)
                shutil.rmtree(guest.root)

    def test_only_what_is_missing(self):
        self.enter()
        guest = self.system()
        for package in DEB_PACKAGES:
            guest.write(f"state/packages/{package}", "")
        self.assertEqual(ids(self.plan()), ["module", "service"])
        self.assertEqual(self.install()["state"], "done")
        self.assertEqual(guest.calls("apt-get"), [])

    def test_windows(self):
        self.enter()
        for server in False, True:
            with self.windows(server=server) as guest:
                plan = self.plan()
                self.assertEqual(ids(plan), ["role"])
                self.assertIn("--reboot", plan["warnings"][0])
                operation = self.install(plan=plan["hash"])
                self.assertEqual((operation["state"], guest.applied), ("done", ["role"]))
                self.assertIn("--reboot", operation["note"])
                self.assertEqual(guest.role, "EnablePending")
                self.assertEqual(self.plan()["verdict"], "no-change")
                plan = self.plan(reboot=True)
                self.assertEqual(ids(plan), ["restart"])
                operation = self.install(plan=plan["hash"], reboot=True)
                self.assertEqual((operation["state"], guest.applied), ("done", ["role"]), operation)
                self.assertEqual(guest.role, "Enabled")
                self.assertEqual(self.plan()["verdict"], "no-change")

    def test_windows_in_one_go(self):
        self.enter()
        with self.windows() as guest:
            guest.launch = False
            plan = self.plan(reboot=True)
            self.assertEqual(ids(plan), ["launch-type", "role", "restart"])
            self.assertTrue(plan["items"][2]["destructive"])
            operation = self.install(plan=plan["hash"], reboot=True)
            self.assertEqual(operation["state"], "done", operation)
            self.assertEqual([step["id"] for step in operation["steps"]],
                             ["launch-type", "role", "restart", "proof"])
            self.assertEqual((guest.applied, guest.role), (["launch-type", "role"], "Enabled"))

    def test_windows_may_not_boot_again(self):
        self.enter(NESTING.replace("type='qemu'", "type='kvm'").replace("svm", "vmx"))
        guest = self.enterContext(self.windows())
        problem = self.refused()
        self.assertIn("win.boot-risk: The next boot", problem["detail"])
        guest.said["edition"] = "Core"
        self.assertIn("win.edition", self.refused()["detail"])
        self.assertEqual(self.daemon.request("PUT", PATH, {"reboot": True}).status, 409)
        self.assertEqual(guest.applied, [])

    def test_windows_says_no(self):
        self.enter()
        guest = self.enterContext(self.windows())
        guest.failure = "Der Vorgang ist fehlgeschlagen.\r\n0x800f0922".encode()
        operation = self.install()
        self.assertEqual(operation["state"], "failed")
        self.assertIn("fehlgeschlagen. | 0x800f0922", operation["problem"]["detail"])

    def test_unknown(self):
        self.enter()
        self.system({**DEBIAN, "id": "plan9", "pretty-name": "Plan 9"})
        problem = self.refused()
        self.assertEqual(problem["kind"], "unsupported")
        self.assertIn("Plan 9", problem["detail"])
        self.assertIn("recipe", problem["next"])

    def test_too_old(self):
        self.enter()
        self.system({**DEBIAN, "id": "rhel", "version-id": "7.9", "pretty-name": "RHEL 7"})
        self.assertEqual(self.refused()["kind"], "unsupported")


class Refused(Install):
    def test_before_the_guest_is_asked(self):
        self.enter(XML)
        guest = self.system()
        problem = self.refused()
        self.assertEqual((problem["kind"], problem["next"]), ("vm-unfit", "nestctl enable vm"))
        self.assertEqual(guest.asked, [])
        self.assertEqual(self.daemon.request("PUT", PATH, {}).json["next"], "nestctl enable vm")

    def test_off(self):
        self.enter(state="off")
        problem = self.refused()
        self.assertEqual((problem["kind"], problem["next"]), ("vm-state", "nestctl start vm"))

    def test_nobody_there(self):
        self.enter()
        answer = self.daemon.request("POST", f"{PATH}/plan", {})
        self.assertEqual((answer.status, answer.json["kind"]), (502, "guest-agent"))

    def test_the_agent_may_not(self):
        self.enter()
        guest = self.system()
        guest.blocked = {"guest-exec"}
        answer = self.daemon.request("POST", f"{PATH}/plan", {})
        self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-unfit"))
        self.assertIn("qemu-ga.conf", answer.json["next"])

    def test_what_it_needs(self):
        self.enter()
        guest = self.system()
        guest.write("state/free", "1000\n")
        self.assertIn("1 GiB", self.refused()["detail"])
        guest.write("proc/cpuinfo", "flags\t\t: fpu sse\n")
        problem = self.refused()
        self.assertIn("neither VT-x nor AMD-V", problem["detail"])
        self.assertIn("nestctl shutdown vm", problem["next"])

    def test_installed_and_does_not_work(self):
        self.enter()
        guest = self.system()
        self.assertEqual(self.install()["state"], "done")
        guest.play("virsh", 'case $* in *domcapabilities*) exit 1 ;; esac')
        self.assertIn("can't run VMs with KVM", self.refused()["detail"])

    def test_rights_and_bodies(self):
        self.enter()
        self.system()
        for body, status in [({"decline": ["packages"]}, 200), ({"rebot": True}, 400),
                             ({"reboot": 1}, 400)]:
            self.assertEqual(
                self.daemon.request("POST", f"{PATH}/plan", body).status, status, body)
        self.assertIn("optional", self.refused(decline=["packages"])["detail"])
        answer = self.daemon.request("PUT", PATH, {"plan": "feed"})
        self.assertEqual((answer.status, answer.json["kind"]), (409, "plan-outdated"))
        self.assertEqual(answer.json["plan"]["verdict"], "steps")

    def test_garbage(self):
        self.enter()
        guest = self.system()
        guest.write("bin/sh", "")
        guest.instead = lambda command, _: {"return": {"pid": 1}} if command == "guest-exec" else {
            "return": {"exited": True, "exitcode": 0, "out-data": "eHl6"}
        } if command == "guest-exec-status" else None
        answer = self.daemon.request("POST", f"{PATH}/plan", {})
        self.assertEqual((answer.status, answer.json["kind"]), (409, "vm-unfit"))
        self.assertIn("it said: xyz", answer.json["detail"])


MINE = {"recipes": [{
    "id": "mine", "title": "mine", "systems": ["debian"], "shell": "sh",
    "steps": [{"id": "one", "title": "first", "target": "done", "check": "[ -e /one ]",
               "apply": ["touch /one"]},
              {"id": "two", "title": "second", "target": "done", "check": "[ -e /two ]",
               "apply": ["touch /two"], "optional": True}],
    "proofs": [{"title": "it is not there", "check": "[ -e /one ]"}]}]}


class OwnRecipes(Install):
    def own(self, text):
        folder = self.daemon.directory / "recipes"
        folder.mkdir(mode=0o755)
        (folder / "a.json").write_text(text)
        self.daemon.config["policy"] = {"recipes": folder}
        self.enter()
        return self.system()

    def test_own(self):
        guest = self.own(json.dumps(MINE))
        plan = self.plan()
        self.assertEqual([(item["id"], item["optional"]) for item in plan["items"]],
                         [("one", False), ("two", True)])
        operation = self.install(plan=plan["hash"], decline=["two"])
        self.assertEqual(operation["state"], "done", operation)
        self.assertEqual([(guest.root / name).exists() for name in ("one", "two")], [True, False])

    def test_documented(self):
        page = (nestd.SOURCE / "docs" / "recipes.md").read_text(encoding="utf-8")
        guest = self.own(page.split("```json")[1].split("```")[0])
        guest.os = {**DEBIAN, "id": "alpine"}
        self.assertEqual(ids(self.plan()), ["packages"])

    def test_wrong(self):
        self.own('{"recipes": [{"id": "mine"}]}')
        self.daemon.wait_log("a.json is left out")
        self.assertEqual(ids(self.plan()), ["packages", "module", "service"])


class Command(Install):
    def nestctl(self, *words):
        return self.daemon.nestctl("guest", "install-hypervisor", "vm", *words)

    def test_words(self):
        self.enter()
        self.system()
        done = self.nestctl("--dry-run")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("To install a hypervisor, vm will be changed:", done.stdout)
        self.assertIn("not all installed → qemu-system-x86, ", done.stdout)
        done = self.nestctl("--yes")
        self.assertIn("vm has a hypervisor that works.", done.stdout)
        done = self.nestctl("--yes")
        self.assertIn("vm already has a hypervisor that works.", done.stdout)

    def test_words_of_windows(self):
        self.enter()
        self.enterContext(self.windows())
        self.assertIn("add --reboot", " ".join(self.nestctl("--dry-run").stdout.split()))
        self.assertIn("waits for its restart", self.nestctl("--yes").stdout)
        self.assertIn("waits for its restart", self.nestctl("--yes").stdout)
        self.assertIn("works", self.nestctl("--yes", "--reboot").stdout)


if __name__ == "__main__":
    nestd.main()
