# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is inside a VM: guest info, guest delete, guest console."""
import json
import unittest

import fixtures as f
from harness import CliTest
from stub import Answer, problem

ROUTE = "GET /v1/vms/DemoVM/guest"


def guest(**changes):
    return {"agent_version": "7.2.22", "family": "linux", "os_id": "debian", "os": "Debian 12",
            "kernel": "6.1.0", "machine": "x86_64", "exec": True, "blocked": [],
            "blocked_setting": None, **changes}


class Guest(CliTest):
    def test_info(self):
        self.stub.routes[ROUTE] = Answer(guest(os="Debian\x1b[31m 12"))
        out, _ = self.run_nestctl("guest", "info", "DemoVM")
        self.assertNotIn("\x1b", out)
        self.assertRegex(out, r"agent +7\.2\.22\n")
        self.assertRegex(out, r"runs commands +yes\n")
        self.assertNotIn("blocked", out)

    def test_blocked(self):
        self.stub.routes[ROUTE] = Answer(guest(
            exec=False, os=None, blocked=["guest-exec"], blocked_setting="BLOCK_RPCS= in /x"))
        out, _ = self.run_nestctl("guest", "info", "DemoVM")
        self.assertRegex(out, r"system +it does not say\n")
        self.assertRegex(out, r"blocked +guest-exec\n")
        self.assertIn("BLOCK_RPCS= in /x; then restart the agent", out)

    def test_json(self):
        self.stub.routes[ROUTE] = Answer(guest())
        out, _ = self.run_nestctl("--json", "guest", "info", "DemoVM")
        self.assertEqual(json.loads(out), guest())

    def test_no_agent(self):
        self.stub.routes[ROUTE] = problem("guest-agent", 502, "it is not connected", "install it")
        _, err = self.run_nestctl("guest", "info", "DemoVM", status=22)
        self.assertIn("it is not connected", err)


class Delete(CliTest):
    def setUp(self):
        super().setUp()
        self.key = "DELETE /v1/vms/DemoVM/guests/in%20%3F"
        self.stub.routes[self.key] = Answer(f.operation("pending", "guest-delete"), 202)
        self.stub.routes["GET /v1/operations/12"] = Answer(f.operation(kind="guest-delete"))

    def test_asks(self):
        for answer, status in (("5\nn\n", 18), ("y\n", 0)):
            self.assertNotIn(self.key, self.stub.requests)
            terminal = self.terminal("guest", "delete", "DemoVM", "in ?")
            terminal.expect("Delete in ? in DemoVM and the disk made for it?")
            terminal.send(answer)
            self.assertEqual(terminal.end()[0], status)
        self.assertIn(self.key, self.stub.requests)

    def test_yes(self):
        self.run_nestctl("guest", "delete", "DemoVM", "in ?", status=2)
        self.assertEqual(self.stub.requests, [])
        out, _ = self.run_nestctl("guest", "delete", "-y", "--by", "a&b", "DemoVM", "in ?")
        self.assertIn("in ? in DemoVM has been deleted.", out)
        self.assertIn(self.key + "?by=a%26b", self.stub.requests)


class Console(CliTest):
    def test_of_which_hypervisor(self):
        key = "GET /v1/vms/DemoVM/guests/in/console"
        self.stub.routes[key] = Answer({"name": "in", "by": "a&b", "text": "login:"})
        out, _ = self.run_nestctl("guest", "console", "DemoVM", "in")
        self.assertEqual(out, "login:")
        self.run_nestctl("guest", "console", "--by", "a&b", "DemoVM", "in")
        self.assertEqual(self.stub.requests, [key, key + "?by=a%26b"])


if __name__ == "__main__":
    unittest.main()
