#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian package: built, looked through, installed on a copy of this system, and removed.

The copy is an overlay over / in a mount namespace: nothing of it reaches the system itself.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).parents[2]

# Path → mode. What else is in the package must be documentation.
INSTALLED = {
    "usr/sbin/nestd": "-rwxr-xr-x",
    "usr/bin/nestctl": "-rwxr-xr-x",
    "etc/nestd/nestd.conf": "-rw-r--r--",
    "lib/systemd/system/nestd.service": "-rw-r--r--",
    "lib/systemd/system/nestd.socket": "-rw-r--r--",
    "usr/lib/sysusers.d/nestd.conf": "-rw-r--r--",
    "usr/lib/tmpfiles.d/nestd.conf": "-rw-r--r--",
    "usr/share/bash-completion/completions/nestctl": "-rw-r--r--",
}
PAGES = ["man1/nestctl.1.gz", "man5/nestd.conf.5.gz", "man8/nestd.8.gz"]

# Run as root in the copy, with /deb the directory of the package.
ON_THE_COPY = r"""
set -eux
trap 'test "$?" = 0 || cat /dpkg.log' EXIT
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
dpkg -i /deb/nestd_*.deb > /dpkg.log 2>&1
getent group nestd
id -nG nestd-qemu | grep -w kvm
test "$(stat -c '%a %U' /var/lib/nestd)" = '711 root'
nestd --version
nestctl help > /dev/null
nestd --print-config | grep -q '^#uri=auto$'
test -L /etc/systemd/system/multi-user.target.wants/nestd.service
test -L /etc/systemd/system/sockets.target.wants/nestd.socket

serve() {
    nestd > /nestd.log 2>&1 &
    for _ in $(seq 600); do test -S /run/nestd/nestd.sock && return; sleep 0.1; done
    cat /nestd.log; exit 1
}
serve
test "$(stat -c '%a %U %G' /run/nestd/nestd.sock)" = '660 root nestd'
nestctl create DemoVM --memory 4G --vcpus 2 --accel tcg --disk 1G
nestctl enable DemoVM --yes
nestctl show DemoVM | grep -E '^nests +yes$'
stranger='setpriv --reuid=65534 --regid=65534 --clear-groups'
$stranger nestctl help > /dev/null
if $stranger nestctl list; then exit 1; fi
nestctl start DemoVM
kill $!; wait $! || true
dpkg -i /deb/nestd_*.deb > /dpkg.log 2>&1
pgrep -u "$(stat -c %u /proc/$(pgrep -f guest=DemoVM))" -f guest=DemoVM
serve
nestctl show DemoVM | grep -E '^state +running$'
nestctl show DemoVM | grep -E '^nesting +on$'
nestctl stop DemoVM
kill $!; wait $! || true
dpkg --purge nestd > /dpkg.log 2>&1
test ! -e /usr/sbin/nestd -a ! -e /etc/nestd
test -n "$(find /var/lib/nestd -name '*.qcow2')"
"""


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
        for program in ("usr/sbin/nestd", "usr/bin/nestctl"):
            data = (root / program).read_bytes()
            self.assertNotIn(b"nestd-deb.", data)
            self.assertNotIn(b"fake-watch", data)

    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_install_upgrade_and_purge(self):
        copy = self.scratch / "copy"
        copy.mkdir()
        # Not chroot: libvirt enters its QEMU's mount namespace, and finds itself at its root.
        script = f"""
            set -e; cd {self.scratch}
            mount -t tmpfs none copy; cd copy; mkdir up work root
            mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root
            cd root; mkdir deb before
            mount --bind {self.scratch} deb; mount --rbind /dev dev; mount --rbind /sys sys
            mount -t proc proc proc; mount -t tmpfs none run
            pivot_root . before; umount -l before
            exec sh -c "$ON_THE_COPY"
        """
        run("unshare", "-m", "-p", "-f", "sh", "-c", script,
            env=dict(os.environ, ON_THE_COPY=ON_THE_COPY))


if __name__ == "__main__":
    unittest.main()
