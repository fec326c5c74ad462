# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recipes carried out in a real guest: its package manager, its kernel's module, and a guest of the
guest as the proof; and a restart, after which it is looked at again. The packages of a distribution
are not installed here, which would take hundreds of megabytes and a network: the steps for module and
/dev/kvm are those of nestd's own recipe, the package is one of the test's."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import nestd
import test_nested
from fake import eventually

SHIPPED = json.loads((nestd.SOURCE / "schema" / "recipes.json").read_text(encoding="utf-8"))
DEBIAN = next(recipe for recipe in SHIPPED["recipes"] if recipe["id"] == "debian")
MODULE = next(step for step in DEBIAN["steps"] if step["id"] == "module")
PACKAGE = {
    "id": "packages", "title": "a hypervisor", "current": "not installed", "target": "nest-inner",
    "check": "dpkg -l nest-inner | grep -q '^ii' && [ -x /usr/bin/nest-inner ]",
    "apply": ["mkdir -p /var/lib/dpkg/info && touch /var/lib/dpkg/status || exit",
              "dpkg -i /tmp/nest-inner.deb"]}
RECIPES = {"recipes": [
    {"id": "nest-guest", "title": "the test guest", "systems": ["nest-guest"], "shell": "sh",
     "needs": DEBIAN["needs"][:1], "steps": [PACKAGE, MODULE],
     "proofs": [DEBIAN["proofs"][0],
                {"title": "no guest of the guest runs",
                 "check": "nest-inner run | grep -q 'inner-guest OK'"}]},
    {"id": "nest-restart", "title": "what waits for a restart", "systems": ["nest-restart"],
     "shell": "sh", "steps": [
         {"id": "mark", "title": "the mark", "target": "gone", "restart": True,
          "check": "[ ! -e /run/mark ] || exit 3", "apply": ["true"]}],
     "proofs": [DEBIAN["proofs"][0]]}]}
CONTROL = """Package: nest-inner
Version: 1
Architecture: amd64
Maintainer: nobody <nobody@localhost>
Description: runs a guest of its own
"""


class Installed(test_nested.WithGuest):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="nr."))
        cls.addClassCleanup(shutil.rmtree, folder)
        (folder / "a.json").write_text(json.dumps(RECIPES))
        cls.more = {"policy": {"recipes": folder}, "timeouts": {"shutdown": 60, "boot": 120}}
        super().setUpClass()

    def nestctl(self, *words):
        return self.daemon.nestctl(*words, timeout=test_nested.BOOT_DEADLINE)

    def inside(self, script):
        done = self.nestctl("exec", "vm", "--", "sh", "-c", script)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def install(self, *words):
        return self.nestctl("guest", "install-hypervisor", "vm", *words)

    def boot(self, system):
        console = self.create("vm", "idle nest.agent=1", nested=True)
        self.state("vm", "running")
        console.wait_for("nest-guest: ready")
        eventually(lambda: self.nestctl("guest", "info", "vm").returncode == 0,
                   test_nested.BOOT_DEADLINE)
        self.inside(f"echo ID={system} >/etc/os-release")
        return console

    def make_package(self):
        """Of the program that the guest has, which it loses."""
        folder = self.daemon.directory / "deb"
        (folder / "DEBIAN").mkdir(parents=True)
        (folder / "usr" / "bin").mkdir(parents=True)
        (folder / "DEBIAN" / "control").write_text(CONTROL)
        program = folder / "usr" / "bin" / "nest-inner"
        done = self.nestctl("guest", "pull", "vm", "/bin/kvm-probe", str(program))
        self.assertEqual(done.returncode, 0, done)
        program.chmod(0o755)
        package = self.daemon.directory / "nest-inner.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", folder, package],
                       check=True, capture_output=True)
        done = self.nestctl("guest", "push", "vm", str(package), "/tmp/nest-inner.deb")
        self.assertEqual(done.returncode, 0, done)

    def test_installed(self):
        self.boot("nest-guest")
        self.make_package()
        self.inside("rm /bin/kvm-probe && rmmod kvm_amd && [ ! -e /dev/kvm ]")
        done = self.install("--dry-run")
        self.assertRegex(done.stdout, r"(?s)a hypervisor +not installed → nest-inner\n"
                         r".*KVM's kernel module +not loaded → loaded\n", done)
        done = self.install("--yes")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("vm has a hypervisor that works.", done.stdout)
        self.assertIn("inner-guest OK", self.inside("nest-inner run"))
        self.assertIn("already has", self.install("--yes").stdout)
        self.inside("rmmod kvm_amd")
        plan = self.daemon.request("POST", "/v1/vms/vm/guest/hypervisor/plan", {}).json
        self.assertEqual([item["id"] for item in plan["items"]], ["module"])
        self.done(self.daemon.change("PUT", "/v1/vms/vm/guest/hypervisor", {"plan": plan["hash"]}))
        self.inside("[ -e /dev/kvm ]")

    def test_it_fails_inside(self):
        self.boot("nest-guest")
        done = self.install("--yes")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nest-inner.deb", done.stderr)

    def test_restarted(self):
        console = self.boot("nest-restart")
        self.inside("touch /run/mark")
        done = self.install("--yes")
        self.assertIn("waits for its restart", done.stdout, done)
        done = self.install("--yes", "--reboot")
        self.assertIn("vm has a hypervisor that works.", done.stdout, done)
        self.assertIn("power button", console.wait_for("nest-guest: ready"))
        self.assertEqual(self.inside("ls /run/mark 2>/dev/null || echo gone"), "gone\n")


if __name__ == "__main__":
    nestd.main()
