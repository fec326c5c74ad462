# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks of what is inside a guest: asked over a scripted agent, which carries out here what Linux is
asked, and says what Windows would; and guests that do not answer."""

import base64
import json
import pathlib
import unittest

import nestd
from fake import XML, Fake

from nest_agent import HANG, Agent

CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
WITH_AGENT = XML.replace("<memballoon", CHANNEL + "<memballoon")
DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "guests"
WINDOWS = {"id": "mswindows", "pretty-name": "Windows 11 Pro", "kernel-release": "22631"}


def ended(output, status=0):
    """An agent that says so of each command."""
    data = base64.b64encode(output).decode()

    def instead(command, arguments):
        if command == "guest-exec":
            return {"return": {"pid": 7}}
        if command == "guest-exec-status":
            return {"return": {"exited": True, "exitcode": status, "out-data": data}}
        return None
    return instead


class Inside(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())
        self.daemon.define("vm", WITH_AGENT, state="running")
        self.agent = self.enterContext(Agent(self.daemon.host.directory, "vm"))

    def checks(self, guest=1):
        report = self.daemon.get(f"/v1/vms/vm/checks?all=1&guest={guest}")
        return {row["id"]: row for row in report["checks"]
                if row["id"].startswith(("guest.", "win."))}

    def verdicts(self, *names):
        checks = self.checks()
        return [checks[name]["verdict"] for name in names]

    def test_linux(self):
        """It is this system, of which not everything is known here."""
        checks = self.checks()
        self.assertEqual(len(checks), 24)
        for name in "guest.agent", "guest.exec", "guest.os", "guest.mem":
            self.assertEqual(checks[name]["verdict"], "pass", checks[name])
        flag = "pass" if {"vmx", "svm"} & set(
            pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()) else "fail"
        self.assertEqual(checks["guest.cpuflag"]["verdict"], flag)
        self.assertEqual(checks["win.build"]["message"], "The guest does not run Windows.")
        self.assertEqual(self.agent.asked.count("guest-exec"), 1)

    def test_told_by_the_command(self):
        self.agent.instead = ended((DATA / "debian-libvirt.txt").read_bytes())
        done = self.daemon.nestctl("check", "vm", "--scope", "guest", "--all")
        for text in "type to kvm", "old one", "default is not active", "IOMMU":
            self.assertIn(text, done.stdout)
        done = self.daemon.nestctl("check", "--scope", "guest", "-v")
        self.assertIn("a third level works", done.stdout)

    def test_only_who_asks(self):
        self.assertEqual({row["message"] for row in self.checks(guest=0).values()},
                         {"The guest has not been asked: that is done on demand, and takes the "
                          "right operate."})
        self.assertEqual(self.agent.asked, [])
        self.daemon.nestctl("check", "vm", "--scope", "vm")
        self.assertEqual(self.agent.asked, [])

    def test_windows(self):
        self.agent.os = WINDOWS
        answer = ended(b"\r\n" + (DATA / "windows-11.json").read_bytes().replace(b"\n", b"\r\n"))
        asked = []
        self.agent.instead = lambda command, arguments: asked.append(arguments) or \
            answer(command, arguments)
        checks = self.checks()
        for name in ("win.build", "win.edition", "win.role", "win.hypervisor", "win.launchtype",
                     "win.vbs", "win.vid", "guest.mem", "guest.disk", "guest.reboot-pending"):
            self.assertEqual(checks[name]["verdict"], "pass", checks[name])
        self.assertEqual(checks["win.vbs-efi"]["verdict"], "unknown")
        self.assertEqual(checks["guest.cpuflag"]["verdict"], "not-applicable")
        words = next(row for row in asked if "path" in row)
        self.assertEqual(words["path"], "powershell.exe")
        script = base64.b64decode(words["arg"][-1]).decode("utf-16-le")
        self.assertIn("HypervisorPresent", script)
        self.assertIn("ConvertTo-Json", script)

    def test_windows_without_a_hypervisor(self):
        self.agent.os = WINDOWS
        said = {**json.loads((DATA / "windows-11.json").read_bytes()), "own_hypervisor": "no"}
        self.agent.instead = ended(json.dumps(said).encode())
        self.assertEqual(self.verdicts("win.hypervisor"), ["fail"])

    def test_not_there(self):
        self.agent.vanish()
        self.assertEqual(self.verdicts("guest.agent", "guest.os", "guest.kvm-dev"),
                         ["warn", "not-applicable", "not-applicable"])

    def test_not_running_or_no_channel(self):
        self.daemon.define("other", state="running")
        self.daemon.define("off", WITH_AGENT)
        for name in "other", "off":
            report = self.daemon.get(f"/v1/vms/{name}/checks?all=1&guest=1")
            self.assertEqual({row["verdict"] for row in report["checks"]
                              if row["id"].startswith("guest.")}, {"not-applicable"})
        self.assertEqual(self.agent.asked, [])

    def test_hanging(self):
        self.agent.instead = lambda *_: HANG
        self.assertEqual(self.verdicts("guest.agent", "guest.os", "guest.kvm-dev", "win.role"),
                         ["warn", "unknown", "unknown", "unknown"])

    def test_commands_are_refused(self):
        self.agent.blocked = {"guest-exec"}
        checks = self.checks()
        self.assertEqual(checks["guest.exec"]["verdict"], "fail")
        self.assertIn("/etc/qemu/qemu-ga.conf", checks["guest.exec"]["message"])
        self.assertEqual(checks["guest.os"]["verdict"], "pass")
        self.assertEqual(checks["guest.kvm-dev"]["verdict"], "not-applicable")

    def test_no_answer_or_garbage(self):
        """Of what the script says, and of what the agent makes of it."""
        for output in b"", b"garbage", b"nest-guest 1\nkvm=usable\nend=7\n", b"x" * 70000:
            self.agent.instead = ended(output)
            self.failed()
        for status in ({"exited": True, "exitcode": 0, "out-data": "not base64"},
                       {"exited": True, "exitcode": 0, "out-truncated": True},
                       {"exited": 1}, []):
            self.agent.instead = lambda command, _, status=status: \
                {"return": status} if command == "guest-exec-status" else None
            self.failed()

    def failed(self):
        checks = self.checks()
        self.assertEqual([checks[name]["verdict"] for name in
                          ("guest.agent", "guest.os", "guest.kvm-dev")],
                         ["warn", "pass", "unknown"])
        self.assertIn("answers, and a command failed", checks["guest.agent"]["read"])

    def test_a_command_that_never_ends(self):
        """It is killed, and that is no reason to fall ill."""
        killed = []
        def instead(command, arguments):
            if command == "guest-exec" and "kill -s STOP" in arguments["arg"][1]:
                killed.append(arguments["arg"])
            if command == "guest-exec":
                return {"return": {"pid": 7}}
            elif command == "guest-exec-status":
                return {"return": {"exited": False}}
            return None
        self.agent.instead = instead
        self.failed()
        self.assertEqual(len(killed), 1)
        self.assertEqual(killed[0][-1], "7")


if __name__ == "__main__":
    nestd.main()
