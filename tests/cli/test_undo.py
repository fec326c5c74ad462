# SPDX-License-Identifier: LGPL-2.1-or-later
"""history and undo."""
import json
import unittest

import fixtures as f
from harness import CliTest, plain
from stub import Answer, problem

HISTORY = "GET /v1/vms/DemoVM/history"
PLAN = "POST /v1/vms/DemoVM/undo/plan"
PUT = "PUT /v1/vms/DemoVM/undo"
ASK = "Apply? [Y]es, [N]o:"
BACK = "The earlier definition of DemoVM is back (undo: nestctl undo DemoVM)\n"


class History(CliTest):
    def test_list(self):
        self.stub.routes[HISTORY] = Answer({"revisions": [
            f.revision(4, kind="undo"), f.revision(3, kind=None, uid=-1)]})
        out, _ = self.run_nestctl("history", "DemoVM")
        self.assertEqual([line.split() for line in out.splitlines()], [
            ["REV", "KIND", "DONE", "OPERATION", "USER", "WHAT"],
            ["4", "undo", "2023-11-14", "22:13:20", "12", "1000",
             "memory:", "1–4", "GiB", "→", "4", "GiB"],
            ["3", "–", "2023-11-14", "22:13:20", "12", "–",
             "memory:", "1–4", "GiB", "→", "4", "GiB"]])
        out, _ = self.run_nestctl("history", "DemoVM", "--json")
        self.assertEqual(json.loads(out)["revisions"][0]["id"], 4)

    def test_more(self):
        self.stub.routes[HISTORY] = Answer({"revisions": [f.revision(4)]})
        self.run_nestctl("history", "DemoVM")
        self.run_nestctl("history", "--limit", "1000", "DemoVM")
        self.assertEqual(self.stub.requests, [HISTORY + "?limit=50", HISTORY + "?limit=1000"])
        _, err = self.run_nestctl("history", "--limit", "1001", "DemoVM", status=2)
        self.assertIn("--limit", err)

    def test_none(self):
        self.stub.routes[HISTORY] = Answer({"revisions": []})
        self.assertEqual(self.run_nestctl("history", "DemoVM")[0],
                         "nestd has not changed the definition of DemoVM.\n")
        self.run_nestctl("history", status=2)


class Undo(CliTest):
    def setUp(self):
        super().setUp()
        items = [f.item("power-off", "shut down", None, None, "it is running"),
                 f.item("memory", "memory", "4 GiB", "1–4 GiB")]
        self.stub.routes[PLAN] = Answer(f.plan("u1", items, enable=False))
        self.stub.routes[PUT] = Answer(f.operation("pending", "undo"), 202)
        self.stub.routes["GET /v1/operations/12"] = Answer(
            f.operation(kind="undo", steps=[f.step("configuration brought back")]))

    def test_shown_asked_done(self):
        terminal = self.terminal("undo", "DemoVM", env={"NO_COLOR": "1"})
        shown = plain(terminal.expect(ASK))
        self.assertIn("To undo this, DemoVM will be changed:\n  1  shut down   it is running\n"
                      "  2  memory      4 GiB → 1–4 GiB\n", shown)
        terminal.send("perhaps\n")
        terminal.expect("Answer Y or N.")
        terminal.expect(ASK)
        terminal.send("Y\n")
        status, text = terminal.end()
        self.assertEqual(status, 0)
        self.assertIn(BACK, plain(text))
        self.assertEqual(self.stub.bodies[PUT], [{"to": 0, "plan": "u1"}])

    def test_no_changes_nothing(self):
        for answer, expected in (("n\n", 18), ("\x03", 130)):
            terminal = self.terminal("undo", "DemoVM")
            terminal.expect(ASK)
            terminal.send(answer)
            status, text = terminal.end()
            self.assertEqual(status, expected)
            self.assertIn("Nothing has been changed.", text)
        self.assertNotIn(PUT, self.stub.requests)

    def test_revision(self):
        self.assertIn(BACK, self.run_nestctl("undo", "DemoVM", "--to", "3", "--yes")[0])
        self.assertEqual(self.stub.bodies[PLAN], [{"to": 3, "plan": None}])
        self.assertEqual(self.stub.bodies[PUT], [{"to": 3, "plan": "u1"}])
        for wrong in ("0", "-1", "x", ""):
            self.run_nestctl("undo", "DemoVM", f"--to={wrong}", "--yes", status=2)

    def test_dry_run(self):
        out, _ = self.run_nestctl("undo", "DemoVM", "--dry-run")
        self.assertIn("Nothing has been changed (--dry-run).", out)
        out, _ = self.run_nestctl("undo", "DemoVM", "--dry-run", "--json")
        self.assertEqual(json.loads(out)["hash"], "u1")
        self.run_nestctl("undo", "DemoVM", "--json", status=2)
        self.assertNotIn(PUT, self.stub.requests)

    def test_json(self):
        out, _ = self.run_nestctl("undo", "DemoVM", "--yes", "--json")
        self.assertEqual((json.loads(out)["kind"], json.loads(out)["state"]), ("undo", "done"))

    def test_refused(self):
        self.stub.routes[PLAN] = Answer(f.plan(items=[], verdict="refused", problem=f.problem_record(
            "vm-changed", "was changed since revision 3", "nestctl history DemoVM")))
        _, err = self.run_nestctl("undo", "DemoVM", "--yes", status=8)
        self.assertIn("was changed since revision 3", err)
        self.stub.routes[PLAN] = Answer(f.plan(items=[], verdict="no-change"))
        out, _ = self.run_nestctl("undo", "DemoVM", "--yes")
        self.assertIn("DemoVM is as it was before already.", out)
        self.assertNotIn(PUT, self.stub.requests)

    def test_outdated(self):
        self.stub.routes[PUT] = [problem("plan-outdated", 409, "outdated", plan=f.plan("u2")),
                                 Answer(f.operation("pending", "undo"), 202)]
        out, _ = self.run_nestctl("undo", "DemoVM", "--yes")
        self.assertIn("DemoVM has changed meanwhile. The plan is now:", out)
        self.stub.routes[PUT] = problem("plan-outdated", 409, "outdated", plan=f.plan("u2"))
        self.run_nestctl("undo", "DemoVM", "--yes", status=8)
        self.stub.routes[PUT] = problem("vm-busy", 409, "DemoVM is busy")
        self.run_nestctl("undo", "DemoVM", "--yes", status=6)


if __name__ == "__main__":
    unittest.main()
