# SPDX-License-Identifier: LGPL-2.1-or-later
"""host fix, host undo, host history: commands of two words."""
import json
import unittest

import fixtures as f
from harness import CliTest, plain
from stub import Answer, problem

PLAN = "POST /v1/host/fix/plan"
PUT = "PUT /v1/host/fix"
UNDO_PLAN = "POST /v1/host/undo/plan"
UNDO = "PUT /v1/host/undo"
ASK = "Apply? [Y]es, [N]o, or the numbers of optional items to leave out:"
DONE = "The host is set up for nesting (undo: nestctl host undo)\n"


def host(answer):
    return {**answer, "uuid": None, "name": None}


def items(*left_out):
    every = [f.item("nested", "nesting switched on in kvm_intel", "nested=N", "nested=1"),
             f.item("nested-persist", "nesting kept over reboots", "nothing configured",
                    "/etc/modprobe.d/nestd.conf: nested=1", optional=True),
             f.item("libvirt-guests", "VMs shut down with the host, not saved", None, None,
                    optional=True)]
    return [item for item in every if item["id"] not in left_out]


class HostFix(CliTest):
    def setUp(self):
        super().setUp()
        self.stub.routes[PLAN] = lambda query, body: Answer(host(f.plan(
            "h" + str(len(body["decline"] or [])), items(*(body["decline"] or [])))))
        self.stub.routes[PUT] = Answer(host(f.operation("pending", "host-fix")), 202)
        self.stub.routes["GET /v1/operations/12"] = Answer(host(f.operation(
            kind="host-fix", steps=[f.step("nesting switched on in kvm_intel")])))

    def test_shown_asked_done(self):
        terminal = self.terminal("host", "fix", env={"NO_COLOR": "1"})
        shown = plain(terminal.expect(ASK))
        self.assertIn("To set up nesting, the host will be changed:\n  1  nesting switched on in "
                      "kvm_intel", shown)
        self.assertIn("Optional:\n  2  nesting kept over reboots", shown)
        terminal.send("3\n")
        status, text = terminal.end()
        self.assertEqual(status, 0)
        self.assertIn("✓ nesting switched on in kvm_intel", plain(text))
        self.assertIn(DONE, plain(text))
        self.assertEqual(self.stub.bodies[PUT], [{"plan": "h1", "decline": ["libvirt-guests"]}])

    def test_no_changes_nothing(self):
        for answer, expected in (("n\n", 18), ("\x03", 130), ("\x04", 18)):
            terminal = self.terminal("host", "fix")
            terminal.expect(ASK)
            terminal.send(answer)
            status, text = terminal.end()
            self.assertEqual(status, expected)
            self.assertIn("Nothing has been changed.", text)
        self.run_nestctl("host", "fix", status=2)
        out, _ = self.run_nestctl("host", "fix", "--dry-run")
        self.assertIn("Nothing has been changed (--dry-run).", out)
        self.assertNotIn(PUT, self.stub.requests)

    def test_yes_and_json(self):
        self.assertIn(DONE, self.run_nestctl("host", "fix", "--yes")[0])
        out, _ = self.run_nestctl("host", "fix", "--dry-run", "--json")
        self.assertEqual(json.loads(out)["hash"], "h0")
        out, _ = self.run_nestctl("host", "fix", "--yes", "--json")
        self.assertEqual(json.loads(out)["kind"], "host-fix")
        self.run_nestctl("host", "fix", "--json", status=2)

    def test_what_is_left_is_told(self):
        warning = "kvm_intel is in use by qemu-system-x86 (4711); what to do: turn it off."
        self.stub.routes[PLAN] = Answer(host(f.plan(
            items=items("nested"), enable=False, warnings=[warning])))
        out, _ = self.run_nestctl("host", "fix", "--yes")
        self.assertIn("Note: kvm_intel is in use by qemu-system-x86 (4711)", out)
        self.assertIn("nesting is still off", out)
        self.stub.routes[PLAN] = Answer(host(f.plan(items=[], verdict="no-change")))
        self.assertEqual(self.run_nestctl("host", "fix", "--yes")[0],
                         "The host is already set up for nesting.\n")

    def test_refused(self):
        for kind, status in (("host-unfit", 10), ("host-busy", 6), ("forbidden", 9)):
            self.stub.routes[PLAN] = Answer(host(f.plan(
                items=[], verdict="refused", problem=f.problem_record(kind, "it is so", "do it"))))
            _, err = self.run_nestctl("host", "fix", "--yes", status=status)
            self.assertIn("it is so", err)
            self.assertIn("do it", err)

    def test_outdated(self):
        self.stub.routes[PUT] = [problem("plan-outdated", 409, "outdated"),
                                 Answer(host(f.operation("pending", "host-fix")), 202)]
        out, _ = self.run_nestctl("host", "fix", "--yes")
        self.assertIn("The host has changed meanwhile. The plan is now:", out)

    def test_undo_and_history(self):
        self.stub.routes[UNDO_PLAN] = Answer(host(f.plan("u", items("libvirt-guests"))))
        self.stub.routes[UNDO] = Answer(host(f.operation("pending", "host-undo")), 202)
        out, _ = self.run_nestctl("host", "undo", "--to", "3", "--yes")
        self.assertIn("To undo this, the host will be changed:", out)
        self.assertIn("The host is as it was before (undo: nestctl host undo)", out)
        self.assertEqual(self.stub.bodies[UNDO], [{"to": 3, "plan": "u"}])
        self.stub.routes["GET /v1/host/history"] = Answer({"revisions": [
            f.revision(4, kind="host-fix")]})
        self.assertIn("host-fix", self.run_nestctl("host", "history")[0])
        self.stub.routes["GET /v1/host/history"] = Answer({"revisions": []})
        self.assertEqual(self.run_nestctl("host", "history")[0],
                         "nestd has not changed this host.\n")

    def test_two_words(self):
        for words in (["host"], ["host", "--yes"], ["host", "mend"], ["host", "fixx"]):
            _, err = self.run_nestctl(*words, status=2)
            self.assertIn("host needs one of: fix, undo, history", err)
        self.assertIn("host fix takes no operands",
                      self.run_nestctl("host", "fix", "VM", status=2)[1])
        out, _ = self.run_nestctl("help", "host", "fix")
        self.assertTrue(out.startswith("nestctl host fix [OPTION…]\n"), out)
        self.assertEqual(self.run_nestctl("host", "fix", "--help")[0], out)
        out, _ = self.run_nestctl("help", "host")
        self.assertIn("  host fix            make this host fit for nesting\n", out)
        self.assertNotIn("enable VM", out)
        self.assertEqual(self.run_nestctl("host", "--help")[0], out)
        self.assertEqual(self.run_nestctl("host", "-h")[0], out)
        self.assertIn("no command", self.run_nestctl("help", "list", "list", status=2)[1])


if __name__ == "__main__":
    unittest.main()
