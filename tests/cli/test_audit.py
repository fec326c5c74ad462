# SPDX-License-Identifier: LGPL-2.1-or-later
"""audit: which VMs can nest though nobody asked, and closing them."""
import json
import unittest

import fixtures as f
from harness import CliTest
from stub import Answer, problem


class Audit(CliTest):
    def setUp(self):
        super().setUp()
        for name, nesting, asked in (
                ("closed", "off", False), ("implied", "implicit", False), ("wanted", "on", True),
                ("taken", "on", False), ("byhand", "unenforced", False),
                ("strayed", "unenforced", True)):
            self.add(name, nesting, asked)
        self.stub.routes["GET /v1/vms"] = Answer({"vms": self.vms})
        self.stub.routes["GET /v1/operations/12"] = Answer(f.operation(kind="disable"))

    def add(self, name, nesting, asked):
        self.vms = [*getattr(self, "vms", []),
                    f.summary(name, uuid=name, nesting=nesting, asked=asked)]
        path = f"/v1/vms/{name}"
        self.stub.routes[f"POST {path}/nested/plan"] = Answer(f.plan(
            "h-" + name, [f.item("extensions", "hidden", "there", "gone")], name=name, uuid=name,
            enable=False))
        self.stub.routes[f"PUT {path}/nested"] = Answer(f.operation("pending", "disable"), 202)

    def closed(self):
        return [r.split("/")[3] for r in self.stub.requests if r.startswith("PUT ")]

    def test_list(self):
        out, _ = self.run_nestctl("audit", status=1)
        for name in ("implied", "taken", "byhand"):
            self.assertIn(f"To disable nesting, {name} will be changed:", out)
        for name in ("closed", "wanted", "strayed"):
            self.assertNotIn(f"{name} will be changed", out)
        self.assertIn("3 virtual machines can nest", out)
        self.assertEqual(self.closed(), [])

    def test_json(self):
        out, _ = self.run_nestctl("audit", "--json", status=1)
        findings = json.loads(out.splitlines()[0])["findings"]
        self.assertEqual([(x["name"], x["plan"]["hash"]) for x in findings], [
            ("implied", "h-implied"), ("taken", "h-taken"), ("byhand", "h-byhand")])
        self.run_nestctl("audit", "--json", "--close", status=2)
        self.assertEqual(self.closed(), [])

    def test_close_with_json(self):
        self.stub.routes["PUT /v1/vms/taken/nested"] = problem("vm-busy", 409, "taken is busy")
        out, _ = self.run_nestctl("audit", "--json", "--close", "--yes", status=1)
        findings = json.loads(out.splitlines()[0])["findings"]
        self.assertEqual([(x["name"], x["closed"]) for x in findings],
                         [("implied", True), ("taken", False), ("byhand", True)])
        self.assertEqual(findings[0]["operation"]["state"], "done")
        self.assertIsNone(findings[1]["operation"])
        self.assertEqual(findings[1]["problem"]["detail"], "taken is busy")

    def test_one_question_about_all(self):
        """What is agreed to is what was shown: nothing is planned anew."""
        terminal = self.terminal("audit", "--close")
        shown = terminal.expect("Do all of this?")
        self.assertEqual(shown.count("will be changed"), 3)
        self.assertEqual(self.closed(), [])
        terminal.send("y\n")
        status, _ = terminal.end()
        self.assertEqual((status, self.closed()), (0, ["implied", "taken", "byhand"]))
        plans = [r for r in self.stub.requests if r.startswith("POST ")]
        self.assertEqual(len(plans), 3)
        self.assertEqual(self.stub.bodies["PUT /v1/vms/byhand/nested"][-1]["plan"], "h-byhand")

    def test_no_is_no(self):
        terminal = self.terminal("audit", "--close")
        terminal.expect("Do all of this?")
        terminal.send("n\n")
        self.assertNotEqual(terminal.end()[0], 0)
        self.assertEqual(self.closed(), [])

    def test_none(self):
        self.stub.routes["GET /v1/vms"] = Answer({"vms": [self.vms[0]]})
        self.assertIn("No virtual machine", self.run_nestctl("audit")[0])
        self.run_nestctl("audit", "--close", "--yes")

    def test_close(self):
        out, _ = self.run_nestctl("audit", "--close", "--yes")
        self.assertEqual(self.closed(), ["implied", "taken", "byhand"])
        self.assertEqual(out.count("does not nest any more"), 3)

    def test_one_that_fails_does_not_stop_the_others(self):
        self.stub.routes["PUT /v1/vms/taken/nested"] = problem("vm-busy", 409, "taken is busy")
        out, err = self.run_nestctl("audit", "--close", "--yes", status=1)
        self.assertEqual(self.closed(), ["implied", "taken", "byhand"])
        self.assertIn("taken is busy", err)
        self.assertIn("1 virtual machine can nest", out)

    def test_without_a_terminal_nothing_is_closed(self):
        self.run_nestctl("audit", "--close", status=2)
        self.assertEqual(self.closed(), [])

    def test_gone_meanwhile(self):
        self.stub.routes["POST /v1/vms/taken/nested/plan"] = problem("vm-not-found", 404, "gone")
        self.assertIn("2 virtual machines", self.run_nestctl("audit", status=1)[0])
        self.stub.routes["POST /v1/vms/taken/nested/plan"] = problem("store", 500, "damaged")
        self.run_nestctl("audit", status=15)


if __name__ == "__main__":
    unittest.main()
