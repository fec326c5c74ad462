#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian package: built, looked through, installed on a copy of this system, and removed.

See on-a-copy for what the copy is: nothing of it reaches the system itself.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
TOP = HERE.parents[1]

# Path → mode. What else is in the package must be documentation.
INSTALLED = {
    "usr/sbin/nestd": "-rwxr-xr-x",
    "usr/bin/nestctl": "-rwxr-xr-x",
    "usr/libexec/nestd/nestd-judge": "-rwxr-xr-x",
    "etc/nestd/nestd.conf": "-rw-r--r--",
    "etc/libvirt/hooks/qemu.d/nestd": "-rwxr-xr-x",
    "lib/systemd/system/nestd.service": "-rw-r--r--",
    "lib/systemd/system/nestd.socket": "-rw-r--r--",
    "usr/lib/sysusers.d/nestd.conf": "-rw-r--r--",
    "usr/lib/tmpfiles.d/nestd.conf": "-rw-r--r--",
    "usr/share/bash-completion/completions/nestctl": "-rw-r--r--",
    "usr/share/nestd/advisories.json": "-rw-r--r--",
    "usr/share/nestd/advisories.schema.json": "-rw-r--r--",
    "usr/share/nestd/recipes.json": "-rw-r--r--",
    "usr/share/nestd/recipes.schema.json": "-rw-r--r--",
}
PAGES = ["man1/nestctl.1.gz", "man5/nestd.conf.5.gz", "man8/nestd.8.gz"]

def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{end}")
    return done.stdout


@unittest.skipUnless(shutil.which("dpkg-buildpackage") and shutil.which("lintian"),
                     "no Debian package tools")
class TestPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        # The unit tests have been run where this one is.
        environment = dict(os.environ, DEB_BUILD_OPTIONS="nocheck")
        cls.said = run(str(TOP / "packaging/build-deb"), scratch.name, env=environment)
        cls.package = next(cls.scratch.glob("nestd_*.deb"))

    def test_lintian_has_no_complaints(self):
        complaints = [line for line in self.said.splitlines() if line.startswith(("E:", "W:"))]
        self.assertEqual(complaints, [])

    def test_contents(self):
        modes = {}
        for line in run("dpkg", "-c", str(self.package)).splitlines():
            words = line.split()
            if not words[5].endswith("/"):
                modes[words[5][2:]] = words[0]
        self.assertEqual({path: modes.get(path) for path in INSTALLED}, INSTALLED)
        for page in PAGES:
            self.assertIn(f"usr/share/man/{page}", modes)
        known = ("usr/share/doc/nestd/", "usr/share/man/", "usr/share/lintian/", "usr/lib/",
                 "usr/include/", "usr/bin/")
        others = [path for path in modes if path not in INSTALLED and not path.startswith(known)]
        self.assertEqual(others, [])

    def test_depends_on_what_it_loads(self):
        depends = run("dpkg", "-f", str(self.package), "Depends")
        for needed in ("libvirt0", "libvirt-daemon-driver-qemu", "qemu-system-x86", "qemu-utils",
                       "libsoup-3.0-0"):
            self.assertIn(needed, depends)

    def test_nothing_names_the_build(self):
        root = self.scratch / "root"
        run("dpkg", "-x", str(self.package), str(root))
        for program in ("usr/sbin/nestd", "usr/bin/nestctl", "usr/libexec/nestd/nestd-judge"):
            data = (root / program).read_bytes()
            self.assertNotIn(b"nestd-deb.", data)
            self.assertNotIn(b"fake-watch", data)

    def on_a_copy(self, script):
        for part in (script, "service.sh"):
            shutil.copy(HERE / part, self.scratch)
        return run(str(HERE / "on-a-copy"), str(self.scratch), f"/deb/{script}", timeout=400)

    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_install_upgrade_and_purge(self):
        self.on_a_copy("install.sh")

    @unittest.skipUnless(os.getuid() == 0 and os.path.exists("/lib/systemd/systemd"),
                         "needs root and systemd")
    def test_service_with_virtual_machine(self):
        said = self.scratch / "said"
        try:
            self.on_a_copy("boot.sh")
        except AssertionError as error:
            self.fail(f"{error}\n{said.read_text(encoding='utf-8') if said.exists() else ''}")
        self.assertEqual((self.scratch / "status").read_text(encoding="utf-8"), "0\n")


if __name__ == "__main__":
    unittest.main()
