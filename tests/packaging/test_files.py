#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed beside the programs: units, users, directories, configuration, versions."""

import configparser
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).parents[2]
SYSTEMD = TOP / "packaging/systemd"

# systemd-analyze security; raise it only for a reason that is written into the unit.
MOST_EXPOSED = 6.1

KEPT = {
    # Virtual machines outlive the daemon, its end and its upgrade.
    "KillMode": "process", "Delegate": "yes", "OOMPolicy": "continue",
    "RuntimeDirectoryPreserve": "yes",
    # A daemon that hangs or crashes comes back.
    "Type": "notify", "Restart": "on-failure", "WatchdogSec": "30",
    # Nobody reads what is not theirs; QEMU passes through to its disks.
    "UMask": "0077", "StateDirectoryMode": "0711", "LimitCORE": "0",
}

# What a QEMU or libvirt inside the service can't live with; see the unit.
FORBIDDEN = ["PrivateDevices", "PrivateNetwork", "PrivateUsers", "PrivateTmp",
             "MemoryDenyWriteExecute", "ProtectControlGroups", "RestrictNamespaces"]


def read(path):
    return (TOP / path).read_text(encoding="utf-8")


def unit(path):
    """section → key → the last value."""
    sections, current = {}, None
    for line in read(path).splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            current[key] = value
    return sections


class TestUnits(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        service = read("packaging/systemd/nestd.service.in")
        self.service = self.scratch / "nestd.service"
        self.service.write_text(service.replace("@sbindir@/nestd", "/bin/true"), encoding="utf-8")
        self.socket = self.scratch / "nestd.socket"
        shutil.copy(SYSTEMD / "nestd.socket", self.socket)

    def test_strangers_cannot_connect(self):
        socket = unit("packaging/systemd/nestd.socket")["Socket"]
        self.assertEqual(socket["ListenStream"], "/run/nestd/nestd.sock")
        self.assertEqual((socket["SocketMode"], socket["SocketUser"], socket["SocketGroup"]),
                         ("0660", "root", "nestd"))

    def test_service_keeps_its_promises(self):
        service = unit("packaging/systemd/nestd.service.in")["Service"]
        self.assertEqual({key: service.get(key) for key in KEPT}, KEPT)
        self.assertEqual([key for key in FORBIDDEN if key in service], [])

    def test_service_can_repair_the_host(self):
        """Where it writes, and that it may load modules: see docs/decisions/0008."""
        text = read("packaging/systemd/nestd.service.in")
        values = {}
        for line in text.splitlines():
            key, _, value = line.partition("=")
            values[key] = values.get(key, []) + value.split()
        self.assertIn("CAP_SYS_MODULE", values["CapabilityBoundingSet"])
        self.assertNotIn("ProtectKernelModules", values)
        self.assertNotIn("@module", values["SystemCallFilter"])
        files = re.findall(r'"(etc/(?:modprobe\.d|udev/rules\.d))/[\w.-]+"',
                           read("hypervisor-backend/nest-host-repair.h"))
        guests = re.findall(r'"(etc/[\w.]+)" NAME', read("hypervisor-backend/nest-host-guests.c"))
        self.assertEqual((len(set(files)), len(set(guests))), (2, 3))
        written = {f"-/{path}" for path in files + guests}
        self.assertEqual(set(values["ReadWritePaths"]), written)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_units_are_valid(self):
        run = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(self.service), str(self.socket)],
            capture_output=True, text=True, check=False)
        said = [line for line in run.stderr.splitlines() if "nestd" in line]
        self.assertEqual(said, [])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_exposure(self):
        run = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(self.service)],
            capture_output=True, text=True, check=True)
        score = float(re.search(r"exposure level for nestd.service: ([\d.]+)", run.stdout).group(1))
        print(f"nestd.service: {score}")
        self.assertLessEqual(score, MOST_EXPOSED)

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "no systemd-sysusers")
    def test_users(self):
        (self.scratch / "etc").mkdir()
        subprocess.run(["systemd-sysusers", f"--root={self.scratch}",
                        str(SYSTEMD / "nestd.sysusers.conf")], check=True, capture_output=True)
        groups = (self.scratch / "etc/group").read_text(encoding="utf-8")
        self.assertRegex(groups, r"(?m)^nestd:x:\d+:$")
        self.assertRegex(groups, r"(?m)^kvm:x:\d+:nestd-qemu$")
        passwd = (self.scratch / "etc/passwd").read_text(encoding="utf-8")
        self.assertRegex(passwd, r"(?m)^nestd-qemu:x:\d+:\d+:.*:/usr/sbin/nologin$")

    @unittest.skipUnless(shutil.which("systemd-tmpfiles") and os.getuid() == 0, "needs root")
    def test_directories(self):
        subprocess.run(["systemd-tmpfiles", f"--root={self.scratch}", "--create",
                        str(SYSTEMD / "nestd.tmpfiles.conf")], check=True, capture_output=True)
        modes = {path: stat.S_IMODE((self.scratch / path).stat().st_mode)
                 for path in ("run/nestd", "run/nestd/vm", "var/lib/nestd")}
        self.assertEqual(modes, {"run/nestd": 0o755, "run/nestd/vm": 0o711, "var/lib/nestd": 0o711})


class TestAgreement(unittest.TestCase):
    """What is said in several places is the same."""

    def test_versions(self):
        version = re.search(r"version: '([^']+)'", read("meson.build")).group(1)
        self.assertRegex(read("packaging/debian/changelog"), rf"^nestd \({re.escape(version)}-\d+\)")

    def keys(self, text):
        """[group, key, default] of each line that sets a key, in a comment or not."""
        found, group = [], None
        for line in text.splitlines():
            if line.startswith("["):
                group = line
            match = re.match(r"#?([a-z][a-z-]*)=(.*)$", line)
            if match:
                found.append([group, match.group(1), match.group(2)])
        return found

    @unittest.skipUnless(os.environ.get("NESTD"), "NESTD does not name the program")
    def test_configuration_file_shows_the_defaults(self):
        run = subprocess.run([os.environ["NESTD"], "--print-config"], capture_output=True,
                             text=True, check=True)
        self.assertTrue(self.keys(run.stdout))
        self.assertEqual(self.keys(read("packaging/nestd.conf")), self.keys(run.stdout))

    def test_manual_explains_every_key(self):
        page = read("docs/nestd.conf.5.scd")
        groups = re.split(r"(?m)^# (?=\[)", page)
        explained = [[f"[{group.split(']')[0][1:]}]", key] for group in groups[1:]
                     for key in re.findall(r"(?m)^\*([a-z-]+)=\*", group)]
        shown = [row[:2] for row in self.keys(read("packaging/nestd.conf"))]
        self.assertEqual(explained, shown)

    def test_configuration_file_is_a_keyfile(self):
        parser = configparser.ConfigParser()
        parser.read_string(read("packaging/nestd.conf"))
        self.assertEqual(parser.sections(), ["daemon", "backend", "limits", "timeouts", "guard",
                                               "policy", "rights"])


if __name__ == "__main__":
    unittest.main()
