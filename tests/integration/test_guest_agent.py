# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the agent inside a VM says: told, refused, not there, hanging, and garbage of all kinds."""

import unittest

import nestd
from fake import Fake

from nest_agent import HANG, Agent

GUEST = "/v1/vms/vm/guest"
DEEP = b'{"return": ' + b"[" * 100000


class GuestAgent(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Fake())
        self.daemon.define("vm", state="running")
        self.agent = self.enterContext(Agent(self.daemon.host.directory, "vm"))

    def refused(self, status, kind):
        answer = self.daemon.request("GET", GUEST)
        self.assertEqual((answer.status, answer.json["kind"]), (status, kind), answer)
        return answer.json

    def test_it_is_told(self):
        self.assertEqual(self.daemon.get(GUEST), {
            "agent_version": "7.2.22", "family": "linux", "os_id": "debian",
            "os": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1.0-18-cloud-amd64",
            "machine": "x86_64", "exec": True, "write": True, "blocked": [], "blocked_setting": None})

    def test_blocked(self):
        for system, where in [("debian", "/etc/qemu/qemu-ga.conf"),
                              ("rocky", "/etc/sysconfig/qemu-ga"),
                              ("mswindows", "beside qemu-ga.exe")]:
            self.agent.blocked = {"guest-exec", "guest-file-open"}
            self.agent.os = {"id": system, "kernel-release": "1"}
            guest = self.daemon.get(GUEST)
            self.assertFalse(guest["exec"])
            self.assertEqual(guest["blocked"], ["guest-exec", "guest-file-open"])
            self.assertIn(where, guest["blocked_setting"])

    def test_its_system_is_not_told(self):
        self.agent.blocked = {"guest-get-osinfo"}
        guest = self.daemon.get(GUEST)
        self.assertEqual((guest["family"], guest["os"]), ("unknown", None))
        self.assertEqual(guest["agent_version"], "7.2.22")

    def test_not_there(self):
        self.agent.vanish()
        self.assertIn("qemu-guest-agent", self.refused(502, "guest-agent")["next"])
        self.daemon.host.stop("vm")
        self.refused(409, "vm-state")
        answer = self.daemon.request("GET", "/v1/vms/none/guest")
        self.assertEqual(answer.json["kind"], "vm-not-found")

    def test_hanging(self):
        self.agent.instead = lambda *_: HANG
        self.assertIn("timed out", self.refused(502, "guest-agent")["detail"])

    def test_garbage(self):
        info = b'{"return": {"version": "1", "supported_commands": '
        for answer in [b"", b"\n", b"\0" * 100, b"nonsense", b"{}", b"[]", b'{"return": {}}',
                       b'{"return": 1}', b'{"return": {"version": "\xff"}}', DEEP,
                       info + b"{}}}", info + b"[{}]}}", info + b'[{"name": 1, "enabled": true}]}}',
                       info + b'[{"name": "a", "enabled": "yes"}]}}', info + b"[]}",
                       b'{"return": {"version": "\\u0000", "supported_commands": []}}',
                       b"x" * (100 << 20)]:
            self.agent.instead = lambda *_, answer=answer: answer
            problem = self.refused(502, "guest-agent")
            self.assertLess(len(problem["detail"]), 1000)
        self.daemon.get("/v1")

    def test_much_is_cut(self):
        commands = [{"name": "x" * 1000, "enabled": False}] * 5000
        self.agent.instead = lambda command, _: {
            "return": {"version": "1" * 5000, "supported_commands": commands}
        } if command == "guest-info" else None
        guest = self.daemon.get(GUEST)
        self.assertEqual(len(guest["agent_version"]), 200)
        self.assertEqual((len(guest["blocked"]), len(guest["blocked"][0])), (500, 200))


if __name__ == "__main__":
    nestd.main()
